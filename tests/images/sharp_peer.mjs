// Renders files with sharp: for each line of standard input, a path, it writes a PNG into the output folder under the line's
// number, and prints one line of JSON. Usage: node sharp_peer.mjs OUTPUT_FOLDER EDGE FORMAT QUALITY [REPEATS]
import {createInterface} from 'node:readline';
import {writeFileSync} from 'node:fs';
import sharp from 'sharp';

sharp.concurrency(1);
sharp.cache(false);
const [folder, edge, format, quality, repeats = '1'] = process.argv.slice(2);
const length = Number(edge);

async function render(path) {
  const image = sharp(path).autoOrient().resize({width: length, height: length, fit: 'inside', withoutEnlargement: true});
  if (format !== 'same') image.toFormat(format, {quality: Number(quality)});
  return image.toBuffer({resolveWithObject: true});
}

let index = 0;
for await (const path of createInterface({input: process.stdin})) {
  const line = {kind: 'rendered', width: 0, height: 0};
  const started = performance.now();
  try {
    let rendered;
    for (let turn = 0; turn < Number(repeats); turn += 1) rendered = await render(path);
    writeFileSync(`${folder}/${index}`, rendered.data);
    line.width = rendered.info.width;
    line.height = rendered.info.height;
  } catch (error) {
    line.kind = String(error.message).split('\n')[0];
  }
  line.seconds = (performance.now() - started) / 1000 / Number(repeats);
  console.log(JSON.stringify(line));
  index += 1;
}
