"""Keys and values of a batch of completions, aligned at their right end.

One write position serves all rows, and a row needs the usual left-padding mask only.
Rows come and go, and positions that no row needs are dropped.
"""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn.functional import pad
from transformers import DynamicCache

from doubletake.model.growing_cache import Buffers, GrowingLayer

SPARE = 8
"""A slot or position without use costs time at every step, dropping it copies all keys
and values once: done when one in this many has no use."""

Layers = Sequence[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values [text, head, position, d] of each layer."""


class AlignedCache(DynamicCache):
    """Keys and values [slot, head, position, d] of each layer."""

    def __init__(
        self, device: torch.device, before_change: Callable[[], None] = lambda: None
    ) -> None:
        """No slots and no positions.

        Args:
            device: where the numbers are.
            before_change: called before new buffers take the place of old ones.
        """
        # No config here: with it, layers with a sliding window would drop keys, and
        # positions in the cache would differ from layer to layer.
        super().__init__()
        self.layer_class_to_replicate = GrowingLayer
        self.before_change = before_change
        self.starts = torch.zeros(0, dtype=torch.long, device=device)
        """The first position that each slot uses, [slot]."""

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.get_seq_length()

    def make_room(self, slots: int, width: int) -> None:
        """Make room for so many slots, and for texts of `width` positions."""
        missing = max(0, slots - len(self.starts))
        left = max(0, width - self.length) if self.length else 0
        if self.length and (missing or left):
            self._reshape(lambda old: pad(old, (0, 0, left, 0, 0, 0, 0, missing)))
        self.starts = pad(self.starts, (0, missing)) + left

    def clear(self, slots: list[int]) -> None:
        """Let slots use no position up to the next one."""
        self.starts[slots] = self.length

    def copy(
        self,
        slots: Sequence[int],
        layers: Layers,
        rows: Sequence[int],
        lengths: torch.Tensor,
    ) -> None:
        """Copy the keys and values of texts to slots, for which there must be room.

        Args:
            slots: that take a text.
            layers: of the texts, aligned at their right end.
            rows: the text that each slot takes.
            lengths: tokens of each text, [text].
        """
        width = layers[0][0].shape[2]
        if not self.length:
            self._open(layers)
        end, own = self.length, list(rows)
        device = self.starts.device
        index = torch.tensor(list(slots), device=device)
        whole = own == list(range(len(lengths)))
        for layer, (keys, values) in zip(self.layers, layers, strict=True):
            layer.keys[index, :, end - width : end] = keys if whole else keys[own]
            layer.values[index, :, end - width : end] = values if whole else values[own]
        self.starts[index] = end - lengths[own].to(device)

    def keep_slots(self, index: torch.Tensor) -> None:
        """Keep some slots only, in this order."""
        self._reshape(lambda old: old[index])
        self.starts = self.starts[index]

    def drop_positions(self, active: list[int], spare: int = SPARE) -> None:
        """Drop positions that no active slot needs, once they are one in `spare`."""
        unused = int(self.starts[active].min())
        if unused and unused * spare >= self.length:
            self._reshape(lambda old: old[:, :, unused:].clone())
            self.starts = (self.starts - unused).clamp(min=0)

    def reserved(self, total: int) -> list[Buffers]:
        """The buffers of all layers, with room for so many positions."""
        first = next(self._growing()).buffers
        if first is None or total > first[0].shape[2]:
            self.before_change()
        return [
            layer.reserved(total, layer.keys, layer.values) for layer in self._growing()
        ]

    def use(self, total: int) -> None:
        """Hold the first so many positions of the buffers."""
        for layer in self._growing():
            layer.use(total)

    def tensors(self) -> dict[str, torch.Tensor]:
        """What the cache holds, by name: `starts`, `keys.LAYER` and `values.LAYER`."""
        tensors = {"starts": self.starts}
        for index, layer in enumerate(self.layers):
            tensors |= {f"keys.{index}": layer.keys, f"values.{index}": layer.values}
        return tensors

    def restore(self, tensors: dict[str, torch.Tensor]) -> None:
        """Let this empty cache hold what another one held; other names are ignored.

        The buffers get the sizes that they had, so all later sums are the same.
        """
        for index in range(sum(name.startswith("keys.") for name in tensors)):
            self.update(tensors[f"keys.{index}"], tensors[f"values.{index}"], index)
        self.starts = tensors["starts"].clone()

    def _open(self, layers: Layers) -> None:
        """Open the cache: zeros for all slots, as wide as these texts."""
        for index, both in enumerate(layers):
            keys, values = (
                one.new_zeros((len(self.starts), *one.shape[1:])) for one in both
            )
            self.update(keys, values, index)
        self.starts += self.length

    def _reshape(self, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        """Replace the keys and values of every layer."""
        self.before_change()
        for layer in self._growing():
            layer.replace(change(layer.keys), change(layer.values))

    def _growing(self) -> Iterator[GrowingLayer]:
        for layer in self.layers:
            assert isinstance(layer, GrowingLayer)
            yield layer
