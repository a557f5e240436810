"""Chunks of data that a page can load from disk, without a server.

A browser reads no data file for a page that it opened from disk, but it runs a script.
So each chunk is a script that hands over its data: JSON, compressed with gzip, in
base64. Equal data give equal bytes.
"""

import gzip
import json
from base64 import b64decode, b64encode
from pathlib import Path

from doubletake.running.files import write_whole


def write_chunk(folder: Path, name: str, data: object) -> None:
    """Write one chunk.

    Args:
        folder: of all chunks.
        name: of the file, without suffix; the page asks for it by this name.
        data: what `json` can write; NaN is refused.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    packed = b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
    path = folder / f"{name}.js"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, f'explorer.receive("{name}","{packed}");\n'.encode())


def read_chunk(folder: Path, name: str) -> object:
    """The data of a chunk, as the page gets it."""
    text = (folder / f"{name}.js").read_text().strip()
    packed = text.removeprefix(f'explorer.receive("{name}","').removesuffix('");')
    return json.loads(gzip.decompress(b64decode(packed)))
