#!/usr/bin/env python3
"""The digest of an S3 prefix: aws s3api list-objects-v2 --bucket BUCKET --prefix PREFIX | python3 digest.py PREFIX

The pages come from the standard input, one after the other, or from the files that follow the prefix.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

if not sys.argv[1:]:
    sys.exit(__doc__)
prefix, *files = sys.argv[1:]
objects = size = total = 0
for pages in (Path(name).read_bytes() for name in files) if files else [sys.stdin.buffer.read()]:
    text, at = pages.decode().strip(), 0
    while at < len(text):
        page, at = json.JSONDecoder().raw_decode(text, at)
        at = re.compile(r"\s*").match(text, at).end()
        for found in page.get("Contents", []):
            if not found["Key"].startswith(prefix):
                sys.exit(f"{found['Key']!r} is not under {prefix!r}")
            parts = (found["Key"][len(prefix) :], found["ETag"].strip('"'), str(found["Size"]))
            digest = hashlib.sha256(b"\0".join(part.encode() for part in parts)).digest()
            total = (total + int.from_bytes(digest, "little")) % 2**256
            objects, size = objects + 1, size + found["Size"]
print(f"{objects} objects, {size} bytes, digest {total:064x}")
