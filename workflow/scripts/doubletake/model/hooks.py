"""Hooks that read or replace the states of a decoder's parts in a forward pass."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch.utils.hooks import RemovableHandle

from doubletake.model.decoder import Decoder

Place = tuple[str, int]
"""Name of a part and its layer, as in `hooked`."""
See = Callable[[str, int, torch.Tensor], None]
Change = Callable[[str, int, torch.Tensor], torch.Tensor | None]


@contextmanager
def registered(handles: Iterable[RemovableHandle]) -> Iterator[None]:
    """Keep hooks in place inside the block, and remove them even after an error.

    Args:
        handles: the handles of the hooks. A generator may register the hooks as it
            runs. If it fails, the hooks that it has registered are removed.
    """
    with ExitStack() as placed:
        for handle in handles:
            placed.callback(handle.remove)
        yield


@contextmanager
def record(decoder: Decoder) -> Iterator[dict[str, list[torch.Tensor]]]:
    """Keep the states of all parts in the forward passes inside the block.

    This is for short sequences, because all states stay in memory.

    Yields:
        Lists of tensors [batch, token, d_model], in the order of the layers: `resid`
        (n_layers + 1 tensors), `attn_out` and `mlp_out` (n_layers tensors each).
    """
    seen: dict[str, list[torch.Tensor]] = {"resid": [], "attn_out": [], "mlp_out": []}

    def keep(name: str, _: int, states: torch.Tensor) -> None:
        seen[name].append(states)

    with hooked(decoder, keep):
        yield seen


@contextmanager
def hooked(
    decoder: Decoder, see: See, places: Collection[Place] | None = None
) -> Iterator[None]:
    """Call `see(name, layer, states)` on every part's states as they are computed.

    Args:
        decoder: the model.
        see: called with a name, a layer and states [batch, token, d_model]. Names are
            `resid` (layers 0 ... n_layers), `attn_out` and `mlp_out` (layers 0 ...
            n_layers - 1). It must copy the states that it keeps.
        places: the parts that get a hook, as names and layers; None: all.
    """

    def before(name: str, layer: int) -> Any:
        return lambda _, inputs, named: see(name, layer, _states(inputs, named))

    def after(name: str, layer: int) -> Any:
        return lambda _, __, output: see(name, layer, _first(output))

    with registered(_handles(decoder, before, after, places)):
        yield


@contextmanager
def replaced(
    decoder: Decoder, change: Change, places: Collection[Place] | None = None
) -> Iterator[None]:
    """Replace every part's states by `change(name, layer, states)`.

    To see the new states, enter `hooked` after this.

    Args:
        decoder: the model.
        change: called with the same arguments as `see` in `hooked`. It returns the new
            states, or None to leave the states unchanged.
        places: the parts that get a hook, as names and layers; None: all that `hooked`
            names. Places may also name `heads`, the input of attention's output
            projection, and `units`, the input of the MLP's down projection.
    """

    def before(name: str, layer: int) -> Any:
        def hook(_: Any, inputs: tuple[Any, ...], named: dict[str, Any]) -> Any:
            states = change(name, layer, _states(inputs, named))
            if states is None:
                return None
            if inputs:
                return (states, *inputs[1:]), named
            return inputs, named | {"hidden_states": states}

        return hook

    def after(name: str, layer: int) -> Any:
        def hook(_: Any, __: Any, output: Any) -> Any:
            states = change(name, layer, _first(output))
            if states is None or not isinstance(output, tuple):
                return states
            return (states, *output[1:])

        return hook

    with registered(_handles(decoder, before, after, places)):
        yield


def _handles(
    decoder: Decoder,
    before: Callable[[str, int], Any],
    after: Callable[[str, int], Any],
    places: Collection[Place] | None = None,
) -> Iterator[RemovableHandle]:
    """Register `before(...)` on every residual boundary, `after(...)` on every part.

    Args:
        decoder: the model.
        before: makes the hook of a boundary, of heads or of units.
        after: makes the hook of a part.
        places: where to register hooks; None: everywhere, heads and units left aside.
    """
    for layer, module in enumerate([*decoder.layers, decoder.final_norm]):
        if places is None or ("resid", layer) in places:
            hook = before("resid", layer)
            yield module.register_forward_pre_hook(hook, with_kwargs=True)
    for layer in range(decoder.n_layers):
        for name, part in (
            ("attn_out", decoder.attention_write(layer)),
            ("mlp_out", decoder.mlp_write(layer)),
        ):
            if places is None or (name, layer) in places:
                yield part.register_forward_hook(after(name, layer))
    for name, module_of in (
        ("heads", decoder.attention_out),
        ("units", decoder.mlp_down),
    ):
        for layer in sorted(layer for part, layer in places or () if part == name):
            hook = before(name, layer)
            yield module_of(layer).register_forward_pre_hook(hook, with_kwargs=True)


@contextmanager
def projected(
    decoder: Decoder, see: Callable[[int, torch.Tensor], None]
) -> Iterator[None]:
    """Call `see(layer, z)` on the heads' outputs, the input of the output projection.

    Args:
        decoder: the model.
        see: called with a layer and z [batch, token, head * d_head]. It must copy the
            values that it keeps.
    """

    def before(layer: int) -> Any:
        return lambda _, inputs: see(layer, inputs[0])

    projections = [decoder.attention_out(layer) for layer in range(decoder.n_layers)]
    with registered(
        module.register_forward_pre_hook(before(layer))
        for layer, module in enumerate(projections)
    ):
        yield


def _states(inputs: Sequence[Any], named: dict[str, Any]) -> torch.Tensor:
    return inputs[0] if inputs else named["hidden_states"]


def _first(output: Any) -> torch.Tensor:
    return output[0] if isinstance(output, tuple) else output
