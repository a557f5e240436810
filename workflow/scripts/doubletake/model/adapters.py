"""Models with an adapter (LoRA) are refused: no measurement here applies adapters.

The library loads an adapter where peft is installed, and ignores it elsewhere. Results
must not depend on that. This module imports neither torch nor transformers, so that a
folder is refused before the first job.
"""

import json
from pathlib import Path

from doubletake.running.errors import InputError

ADAPTER_CONFIG = "adapter_config.json"
FILE_PATTERNS = (
    ADAPTER_CONFIG,
    "adapter_model*",
    "adapter*.safetensors",
    "*lora*.safetensors",
    f"*/{ADAPTER_CONFIG}",
    "*/adapter_model*",
)
"""Files that peft, diffusers and MLX write, in the model's folder or in a folder inside
it (a training keeps its checkpoints there)."""


def adapter_files(folder: Path) -> list[Path]:
    """The files of an adapter in a model's folder; empty if there is no adapter."""
    return sorted({path for name in FILE_PATTERNS for path in folder.glob(name)})


def refuse_adapter(
    source: str, folder: Path | None, files: list[Path], *, has_model: bool = False
) -> None:
    """Refuse a model that is or holds an adapter, and say how to merge it.

    Args:
        source: first words of the message.
        folder: the model's folder; None for a model on the hub.
        files: the adapter's files; an empty list refuses nothing.
        has_model: whether the folder also holds the weights of a model.

    Raises:
        InputError: there is an adapter. The message names its files, and its base model
            if its config names one.
    """
    if not files:
        return
    paths = [str(path.relative_to(folder)) if folder else path.name for path in files]
    names = ", ".join(paths)
    base = next(
        (_base_model(path) for path in files if path.name == ADAPTER_CONFIG), None
    )
    adapter = repr(str(folder or source))
    if has_model:
        fault = "has an adapter beside its weights"
        base, adapter = base or str(folder), "ADAPTER"
        remedy = (
            "move these files away, into a folder ADAPTER; this is enough to study the "
            "base model alone; to study it with the adapter, merge the two"
        )
    else:
        fault = "has an adapter"
        remedy = "name its base model as source, or merge the two"
    load = f"from_pretrained({base!r})" if base else "from_pretrained(BASE)"
    raise InputError(
        f"{source} {fault} ({names}), and adapters are not applied; {remedy} where "
        f"peft is installed: PeftModel.from_pretrained(AutoModelForCausalLM.{load}, "
        f"{adapter}).merge_and_unload().save_pretrained(NEW), and for the tokenizer "
        f"AutoTokenizer.{load}.save_pretrained(NEW)"
    )


def _base_model(path: Path) -> str | None:
    """The base model that an adapter's config names; None if it names no model."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # the adapter is refused in any case
    base = config.get("base_model_name_or_path") if isinstance(config, dict) else None
    return base if isinstance(base, str) and base else None
