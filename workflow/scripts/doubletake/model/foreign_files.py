"""Says what a folder holds that is not a model as transformers writes it, and a remedy.

This module imports neither torch nor transformers.
"""

import re
from pathlib import Path

from doubletake.running.errors import InputError

GGUF = ".gguf"
PICKLES = {".bin", ".ckpt", ".pkl", ".pt", ".pth"}
OTHER_FORMATS = {
    ".onnx": "ONNX",
    ".h5": "TensorFlow",
    ".msgpack": "Flax",
    ".npz": "MLX",
    ".nemo": "NeMo",
}
TOKENIZERS = ("tokenizer.model", "vocab.json", "spiece.model", "tekken.json")
"""Files of tokenizers in other forms."""
_BASE = re.compile(r"^base_model:\s*(?:-\s*)?[\"']?([\w.-]+/[\w.-]+)", re.MULTILINE)


def refuse_file(key: str, path: Path) -> None:
    """Refuse a source that is a file, not a model's folder.

    Raises:
        InputError: the source is a file.
    """
    if not path.is_file():
        return
    if path.suffix == GGUF:
        raise InputError(f"{key}.source: {_gguf(path.parent, [path.name])}")
    raise InputError(f"{key}.source: {path} is a file; name the model's folder")


def refuse_incomplete(key: str, folder: Path) -> None:
    """Refuse a folder without config.json or tokenizer.json.

    Raises:
        InputError: a file is missing. The message says what the folder holds instead.
    """
    if not (folder / "config.json").is_file():
        fault = weights_instead(folder) or f"{folder} has no config.json"
        raise InputError(f"{key}.source: {fault}{_inside(folder)}")
    if not (folder / "tokenizer.json").is_file():
        other = [name for name in TOKENIZERS if (folder / name).is_file()]
        remedy = (
            f"; it has {other[0]}, from which transformers can write it: "
            f"AutoTokenizer.from_pretrained({str(folder)!r}).save_pretrained(NEW)"
            if other
            else "; copy it from the model's page on the hub"
        )
        raise InputError(f"{key}.source: {folder} has no tokenizer.json{remedy}")


def weights_instead(folder: Path) -> str | None:
    """A sentence on weights that are not safetensors; None if there are none."""
    gguf = sorted(path.name for path in folder.glob(f"*{GGUF}"))
    if gguf:
        return _gguf(folder, gguf)
    pickled = _names(folder, PICKLES)
    if pickled:
        return (
            f"{folder} has only pickled weights ({', '.join(pickled)}); they can run "
            "code when they are opened, so they are never opened here; convert them "
            "where this is safe: AutoModelForCausalLM.from_pretrained(FOLDER)"
            ".save_pretrained(NEW)"
        )
    other = _names(folder, set(OTHER_FORMATS))
    if other:
        form = OTHER_FORMATS[Path(other[0]).suffix]
        return (
            f"{folder} has only weights for {form} ({other[0]}); get its safetensors "
            "files"
        )
    return None


def base_model(folder: Path) -> str | None:
    """The model that a local model was made from, as its card says; None if unknown."""
    card = folder / "README.md"
    try:
        found = _BASE.search(card.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return found[1] if found else None


def _inside(folder: Path) -> str:
    """The model in a folder inside this one: a checkpoint, or the hub's cache."""
    places = ("*/config.json", "snapshots/*/config.json")
    found = sorted(path for place in places for path in folder.glob(place))
    return f"; the folder inside has one: name {found[-1].parent}" if found else ""


def _gguf(folder: Path, names: list[str]) -> str:
    """What to do with a folder of GGUF weights."""
    base = base_model(folder)
    named = f" ({base})" if base else ""
    return (
        f"{folder} has its weights as GGUF ({', '.join(names)}), which is not read; "
        f"take the model that it was made from{named}, or convert it as docs/models.md "
        "tells"
    )


def _names(folder: Path, suffixes: set[str]) -> list[str]:
    """Names of the files of these types."""
    return sorted(path.name for path in folder.glob("*") if path.suffix in suffixes)
