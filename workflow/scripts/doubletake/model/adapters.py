"""Adapters (LoRA): refused, for no measurement here applies them to the weights.

The library passes over an adapter where peft is not installed, and loads it where it
is: what is measured must not depend on that. No torch and no transformers here, so that
a folder is refused before the first job.
"""

import json
from pathlib import Path

from doubletake.running.errors import InputError

ADAPTER_CONFIG = "adapter_config.json"
NAMES = (
    ADAPTER_CONFIG,
    "adapter_model*",
    "adapter*.safetensors",
    "*lora*.safetensors",
    f"*/{ADAPTER_CONFIG}",
    "*/adapter_model*",
)
"""What peft and diffusers write, and what MLX calls the weights: in the model's folder
or in one inside it, where checkpoints of a training lie."""


def adapter_files(folder: Path) -> list[Path]:
    """The files of an adapter in a model's folder; none if it holds none."""
    return sorted({path for name in NAMES for path in folder.glob(name)})


def refuse_adapter(
    source: str, folder: Path | None, files: list[Path], *, has_model: bool = False
) -> None:
    """Refuse a model that is or holds an adapter, and say how to merge it.

    Args:
        source: begins the message.
        folder: the model's; None for one on the hub.
        files: of the adapter; if there are none, nothing is refused.
        has_model: whether the folder holds the weights of a model as well.

    Raises:
        InputError: names the adapter's files, and its base where it names that.
    """
    if not files:
        return
    shown = [str(path.relative_to(folder)) if folder else path.name for path in files]
    names = ", ".join(shown)
    base = next((_base(path) for path in files if path.name == ADAPTER_CONFIG), None)
    adapter = repr(str(folder or source))
    if has_model:
        found = "has an adapter beside its weights"
        base, adapter = base or str(folder), "ADAPTER"
        other = (
            "move these files away, into a folder ADAPTER: to study the base model "
            "alone no more is needed; to study both, merge them"
        )
    else:
        found = "has an adapter"
        other = "name its base model as source, or merge the two"
    load = f"from_pretrained({base!r})" if base else "from_pretrained(BASE)"
    raise InputError(
        f"{source} {found} ({names}), and adapters are not applied; {other} where peft "
        f"is installed: PeftModel.from_pretrained(AutoModelForCausalLM.{load}, "
        f"{adapter}).merge_and_unload().save_pretrained(NEW), and for the tokenizer "
        f"AutoTokenizer.{load}.save_pretrained(NEW)"
    )


def _base(path: Path) -> str | None:
    """What an adapter says that it was made for."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # it is refused all the same
    base = found.get("base_model_name_or_path") if isinstance(found, dict) else None
    return base if isinstance(base, str) and base else None
