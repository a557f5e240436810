"""Refuses a model whose config.json shows that it cannot be measured, with a remedy.

The check before the first job and the job that loads the model both call it. This
module imports neither torch nor transformers.
"""

from typing import Any

from doubletake.model.architectures import LAYOUTS, why_unsupported
from doubletake.running.errors import InputError

WEIGHTS = "model.safetensors"
HEADS = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")
"""Ends of the names of transformers' language models."""
QUANTISED = ("quantization_config", "quantization", "compression_config")
KEYS = ("model_type", "architectures", "transformers_weights", *QUANTISED)
"""Keys of a config.json on which a refusal depends."""
BITS = ("bits", "w_bit", "num_bits")


def refuse_config(source: str, config: dict[str, Any], base: str | None = None) -> None:
    """Refuse a model that is not supported.

    Args:
        source: first words of the message.
        config: content of its config.json, or only `KEYS` of it.
        base: the model that it was made from, if its card names one.

    Raises:
        InputError: the model is not supported. The message says why and how to go on.
    """
    kind = config.get("model_type")
    if kind not in LAYOUTS:
        raise InputError(f"{source}: config.json: {why_unsupported(kind)}")
    names = config.get("architectures") or []
    if names and not any(str(name).endswith(HEADS) for name in names):
        raise InputError(
            f"{source}: {', '.join(map(str, names))} does not predict next tokens "
            "(architectures in config.json); take the language model that it was made "
            f"from{_named(base)}"
        )
    for key in QUANTISED:
        if config.get(key) is not None:
            refuse_quantised(source, _method(config[key]), base)
    if named := config.get("transformers_weights"):
        raise InputError(
            f"{source}: config.json names a file of weights "
            f"(transformers_weights: {named!r}), which is not supported; remove this "
            f"key and rename the file to {WEIGHTS}"
        )


def refuse_quantised(source: str, method: str, base: str | None) -> None:
    """Refuse quantised weights.

    Args:
        source: first words of the message.
        method: how they are quantised, or how this shows; may be empty.
        base: the model that they were made from, if it is known.

    Raises:
        InputError: always.
    """
    raise InputError(
        f"{source}: its weights are quantised{f' ({method})' if method else ''}, which "
        "is not supported; take the model that it was made from"
        f"{_named(base)}, or write one with full weights, if the method allows it: "
        "AutoModelForCausalLM.from_pretrained(SOURCE).dequantize().save_pretrained(NEW)"
    )


def _method(settings: Any) -> str:
    """The method and the bits that a quantisation's settings name; may be empty."""
    if not isinstance(settings, dict):
        return ""
    bits = next((settings[key] for key in BITS if key in settings), None)
    parts = [settings.get("quant_method"), f"{bits} bits" if bits else None]
    return ", ".join(str(part) for part in parts if part)


def _named(base: str | None) -> str:
    return f" ({base})" if base else ""
