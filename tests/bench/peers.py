"""The same random model in other libraries, for benches that compare with them.

They live in an environment of their own (`make bench` makes it from `peers.txt`); they
are never needed by doubletake itself: a bench asks `missing()` and says what it cannot
compare with.
"""

import sys
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from tiny_models import write_tokenizer

PEERS = ("transformer-lens", "nnsight")


def missing() -> list[str]:
    """Names of the peers that this environment lacks."""
    return [name for name in PEERS if _version(name) is None]


def said() -> str:
    """One line on which peers are there, with versions, and which are not."""
    found = [f"{name} {_version(name)}" for name in PEERS if _version(name)]
    lacking = missing()
    text = f"peers: {', '.join(found) or 'none'}"
    return f"{text}; not installed: {', '.join(lacking)}" if lacking else text


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def transformer_lens(make: Callable[[], Any]) -> Any:
    """A TransformerLens bridge around a model of its own.

    The bridge takes the model it is given apart, hence a function that makes one.

    Args:
        make: gives a Hugging Face model in evaluation mode, the same each time.
    """
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import PreTrainedTokenizerFast

    hf = make()
    hf.set_attn_implementation("eager")  # as it does with models that it loads
    with tempfile.TemporaryDirectory() as folder:
        # It wants some tokenizer and reads it again by its folder; these benches give
        # it token ids.
        write_tokenizer(Path(folder))
        hf.config.save_pretrained(folder)
        return TransformerBridge.boot_transformers(
            folder,
            hf_model=hf,
            tokenizer=PreTrainedTokenizerFast.from_pretrained(folder),
            device="cpu",
        )


def nnsight(make: Callable[[], Any]) -> Any:
    """An nnsight wrapper around a model of its own; see `transformer_lens`."""
    from nnsight import NNsight

    return NNsight(make())


def cache_with_transformer_lens(
    bridge: Any, ids: torch.Tensor, *, everything: bool
) -> Any:
    """Activations by `run_with_cache`: residual, attention and MLP outputs, or all."""
    names = ("hook_resid_pre", "hook_attn_out", "hook_mlp_out")
    chosen = None if everything else lambda name: name.endswith(names)
    _, cache = bridge.run_with_cache(ids, names_filter=chosen)
    return cache


def cache_with_nnsight(
    wrapped: Any, ids: torch.Tensor, rows: torch.Tensor, tokens: torch.Tensor
) -> list[torch.Tensor]:
    """Wanted positions of residual, attention and MLP outputs, sliced in the trace."""
    kept = []
    with wrapped.trace(input_ids=ids, use_cache=False):
        for layer in wrapped.model.layers:
            kept.append(layer.input[rows, tokens].save())
            kept.append(layer.self_attn.output[0][rows, tokens].save())
            kept.append(layer.mlp.output[rows, tokens].save())
        kept.append(wrapped.model.norm.input[rows, tokens].save())
    return kept
