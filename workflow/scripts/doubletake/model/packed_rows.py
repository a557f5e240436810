"""A batch of rows: each is a prefix and its branches, as more queries on one cache.

The prefixes are padded on the right and read without a mask (`batches.padded`). Tokens
of the branches of a row follow as columns, in any order: each has the position that it
would have in a separate sequence. A mask hides the other branches and what lies after
the branch's cut: the rest of the prefix and its padding. Layers with a sliding window
get another mask, which also hides keys outside the window.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from transformers import DynamicCache

from doubletake.model.architectures import attention_windows
from doubletake.model.batches import padded
from doubletake.model.branches import Branch
from doubletake.model.decoder import Decoder
from doubletake.model.edits import Cell, Edit, edited
from doubletake.model.growing_cache import GrowingLayer
from doubletake.model.hooks import hooked

IN_PREFIX, IN_PADDING = -1, -2  # numbers of keys that belong to no branch


class PackedRows:
    """A cache with the keys of prefixes and of their branches.

    Branches are numbered through all rows.
    """

    def __init__(
        self,
        decoder: Decoder,
        prefixes: Sequence[Sequence[int]],
        branches: Sequence[Sequence[Branch]],
    ) -> None:
        """Read the prefixes.

        Args:
            decoder: the model.
            prefixes: token ids, one prefix per row.
            branches: the branches of every row.
        """
        self.decoder = decoder
        self.branches = [branch for row in branches for branch in row]
        self.rows = [number for number, row in enumerate(branches) for _ in row]
        self.positions = [branch.cut for branch in self.branches]  # of the next tokens
        self.cuts = self._tensor(self.positions)
        self.windows = attention_windows(decoder.hf.config)
        # No config here: with it, layers with a sliding window would drop keys.
        self.cache = DynamicCache()
        self.cache.layer_class_to_replicate = GrowingLayer
        ids = padded(prefixes).to(decoder.device)
        with self._keeping() as self.kept_states:
            output = decoder.base(
                input_ids=ids, past_key_values=self.cache, use_cache=True
            )
        self.states_at_cuts = output.last_hidden_state[self.rows, self.cuts - 1]
        """`[branch, d_model]`: the state after the final norm before each cut."""
        columns = torch.arange(ids.shape[1], device=decoder.device)
        self.key_positions = columns.repeat(len(prefixes), 1)  # [row, key]
        # The padding lies behind all cuts, so no branch sees it.
        self.key_branches = torch.full_like(self.key_positions, IN_PREFIX)

    @contextmanager
    def _keeping(self) -> Iterator[dict[int, torch.Tensor]]:
        """Keep the states before the cuts of the branches that want them.

        Yields:
            By number of the branch `[boundary, d_model]`, on the CPU; filled at the end
            of the block.
        """
        numbers = [number for number, b in enumerate(self.branches) if b.kept]
        rows = [self.rows[number] for number in numbers]
        tokens = self.cuts[numbers] - 1
        layers = sorted({layer for number in numbers for layer in self._kept(number)})
        seen: dict[int, torch.Tensor] = {}

        def keep(_: str, layer: int, states: torch.Tensor) -> None:
            seen[layer] = states[rows, tokens].cpu()

        kept: dict[int, torch.Tensor] = {}
        with hooked(self.decoder, keep, [("resid", layer) for layer in layers]):
            yield kept
        for index, number in enumerate(numbers):
            own = [seen[layer][index] for layer in self._kept(number)]
            kept[number] = torch.stack(own)

    def _kept(self, number: int) -> tuple[int, ...]:
        return self.branches[number].kept

    def read(
        self, numbers: Sequence[int], tokens: Sequence[Sequence[int]]
    ) -> list[torch.Tensor]:
        """Read the next tokens of these branches.

        Branches that are left out have ended.

        Args:
            numbers: the branches.
            tokens: the next token ids of each, at least one.

        Returns:
            Per branch `[token, d_model]`, the states after the final norm.
        """
        self._drop_rows({self.rows[number] for number in numbers})
        cells = self._cells(numbers, tokens)
        edits = list(self._edits(numbers, cells))
        rows, columns = zip(*(cell for row in cells for cell in row), strict=True)
        values = [
            (token, self._take_position(number), number)
            for number, its in zip(numbers, tokens, strict=True)
            for token in its
        ]
        empty = torch.tensor([0, 0, IN_PADDING])  # token, position, branch
        packed = empty.repeat(self.key_positions.shape[0], max(columns) + 1, 1)
        packed[rows, columns] = torch.tensor(values)
        states = self._pass(*packed.to(self.decoder.device).unbind(-1), edits=edits)
        return list(states[list(rows), list(columns)].split(list(map(len, cells))))

    def _pass(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor,
        branches: torch.Tensor,
        *,
        edits: list[tuple[int, Edit, Cell]],
    ) -> torch.Tensor:
        """Read tokens into the cache; final states `[row, column, d_model]`.

        Args:
            ids: `[row, column]`, token ids.
            positions: `[row, column]`.
            branches: `[row, column]`, the branch of each token or `IN_PADDING`.
            edits: for `edited`.
        """
        self.key_positions = torch.cat([self.key_positions, positions], 1)
        self.key_branches = torch.cat([self.key_branches, branches], 1)
        with edited(self.decoder, edits):
            output = self.decoder.base(
                input_ids=ids,
                position_ids=positions,
                attention_mask=self._masks(branches, positions),
                past_key_values=self.cache,
                use_cache=True,
            )
        return output.last_hidden_state

    def _cells(
        self, numbers: Sequence[int], tokens: Sequence[Sequence[int]]
    ) -> list[list[Cell]]:
        """A cell for every token of every branch: the next free ones of its row."""
        used = [0] * self.key_positions.shape[0]
        cells = []
        for number, its in zip(numbers, tokens, strict=True):
            row = self.rows[number]
            cells.append([(row, used[row] + step) for step in range(len(its))])
            used[row] += len(its)
        return cells

    def _edits(
        self, numbers: Sequence[int], cells: Sequence[Sequence[Cell]]
    ) -> Iterator[tuple[int, Edit, Cell]]:
        for number, its_cells in zip(numbers, cells, strict=True):
            branch = self.branches[number]
            first = self.positions[number] - branch.cut
            for index, edit in enumerate(branch.edits):
                for position, cell in enumerate(its_cells, first):
                    if edit.covers(position):
                        yield index, edit, cell

    def _drop_rows(self, needed: set[int]) -> None:
        """Keep only the needed rows, when half of the rows or more are not needed."""
        if 2 * len(needed) > self.key_positions.shape[0]:
            return
        kept = sorted(needed)
        index = self._tensor(kept)
        for layer in self.cache.layers:
            layer.replace(layer.keys[index], layer.values[index])
        self.key_positions = self.key_positions[index]
        self.key_branches = self.key_branches[index]
        new = {row: number for number, row in enumerate(kept)}
        self.rows = [new.get(row, IN_PADDING) for row in self.rows]

    def _take_position(self, number: int) -> int:
        self.positions[number] += 1
        return self.positions[number] - 1

    def _masks(
        self, branches: torch.Tensor, positions: torch.Tensor
    ) -> torch.Tensor | dict[str, torch.Tensor]:
        """One additive mask for all layers, or one for each type of layer.

        Float and not bool, because eager attention adds the mask to its scores.

        Args:
            branches: `[row, query]`, the branch of each query.
            positions: `[row, query]`.
        """
        key_branches, key_positions = self.key_branches[:, None], self._key_positions
        cuts = self.cuts[branches.clamp(min=0)][..., None]
        before_cut = (key_branches == IN_PREFIX) & (key_positions < cuts)
        # Padded queries see padded keys, their own too. So their states are finite.
        same_branch = key_branches == branches[..., None]
        visible = before_cut | (same_branch & (key_positions <= positions[..., None]))
        # A window hides nothing until the longest branch is longer than the window.
        length = max(self.positions)
        windows = {
            kind: None if window is None or window >= length else window
            for kind, window in self.windows.items()
        }
        if len(set(windows.values())) == 1:
            return self._additive(visible, positions, *set(windows.values()))
        return {
            kind: self._additive(visible, positions, window)
            for kind, window in windows.items()
        }

    def _additive(
        self, visible: torch.Tensor, positions: torch.Tensor, window: int | None
    ) -> torch.Tensor:
        """Mask `[row, 1, query, key]`: 0 where a key is visible, else the least number.

        Args:
            visible: `[row, query, key]`, the visible keys without a window.
            positions: `[row, query]`.
            window: number of tokens that a query sees, itself included; None: all
                before it.
        """
        if window is not None:
            near = self._key_positions > positions[..., None] - window
            visible = visible & near
        dtype = self.decoder.dtype
        mask = torch.zeros(visible.shape, dtype=dtype, device=visible.device)
        mask.masked_fill_(~visible, torch.finfo(dtype).min)
        return mask[:, None]

    @property
    def _key_positions(self) -> torch.Tensor:
        return self.key_positions[:, None]

    def _tensor(self, values: Sequence[int]) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.long, device=self.decoder.device)
