"""Edits: changes of states at the positions of one branch, made while it is read.

An edit changes what a part gives to the residual stream, or the stream itself, at
tokens of a branch. Keys and values of later layers follow from the changed states, so
later tokens of the branch see the change. The prefix is shared and stays unchanged.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import torch

from doubletake.model.decoder import Decoder
from doubletake.model.hooks import Place, replaced

Part = Literal["resid", "attn_out", "mlp_out"]


@dataclass(frozen=True)
class Edit:
    """A change of states in one place of the model.

    Equal edits of several branches are made together.
    """

    layer: int
    part: Part
    """`resid`: the residual stream before the layer (n_layers: before the final norm);
    `attn_out`, `mlp_out`: what attention or MLP adds to the stream."""
    change: Callable[[torch.Tensor], torch.Tensor]
    """New states from states, `[token, d_model]` each, in the model's dtype. It must
    treat each token alone: other tokens of the batch may stand beside it."""
    start: int = 0
    """The first token that changes, counted from the first token of the suffix. The
    continuation begins at the length of the suffix."""
    stop: int | None = None
    """The first token after those that change; None: up to the end."""

    def covers(self, position: int) -> bool:
        """Whether the edit changes this token of a branch, counted like `start`."""
        return self.start <= position and (self.stop is None or position < self.stop)


Cell = tuple[int, int]
"""Row and column of a token in a batch."""


@contextmanager
def edited(
    decoder: Decoder, wanted: Iterable[tuple[int, Edit, Cell]]
) -> Iterator[None]:
    """Make edits in the forward passes inside the block; no edit, no hook.

    Args:
        decoder: the model.
        wanted: an edit's number in the list of its branch, the edit, and a token that
            it changes. At one place, edits are made in the order of their numbers.
    """
    cells: dict[tuple[int, Edit], list[Cell]] = defaultdict(list)
    for number, edit, cell in wanted:
        cells[number, edit].append(cell)
    if not cells:
        yield
        return
    by_place: dict[Place, list[tuple[Edit, list[int], list[int]]]] = defaultdict(list)
    for number, edit in sorted(cells, key=lambda key: key[0]):
        rows, columns = zip(*cells[number, edit], strict=True)
        by_place[edit.part, edit.layer].append((edit, list(rows), list(columns)))

    def change(name: str, layer: int, states: torch.Tensor) -> torch.Tensor:
        states = states.clone()
        for edit, rows, columns in by_place[name, layer]:
            states[rows, columns] = edit.change(states[rows, columns])
        return states

    with replaced(decoder, change, by_place.keys()):
        yield
