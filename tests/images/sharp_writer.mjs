// Writes WebP files with sharp: each line of standard input is JSON that names the picture, the file, and sharp's options.
import {existsSync} from 'node:fs';
import {createInterface} from 'node:readline';
import sharp from 'sharp';

for await (const line of createInterface({input: process.stdin})) {
  const {input, output, animated, options} = JSON.parse(line);
  if (!existsSync(output)) await sharp(input, {animated}).webp(options).toFile(output);
}
