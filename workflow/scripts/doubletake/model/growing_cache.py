"""A cache layer that appends keys and values in place, in a buffer that grows."""

import torch
from transformers.cache_utils import DynamicLayer

BLOCK = 256  # positions by which a buffer grows

Buffers = tuple[torch.Tensor, torch.Tensor]
"""Of keys and of values, [slot, head, position, d] each."""


class GrowingLayer(DynamicLayer):
    """Keys and values [slot, head, position, d] in a buffer that grows by blocks."""

    keys: torch.Tensor
    values: torch.Tensor
    buffers: Buffers | None = None

    def update(
        self,
        key_states: torch.Tensor,
        value_states: torch.Tensor,
        *args: object,
        **kwargs: object,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append in place; the base class would copy the whole cache every step."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        used = self.get_seq_length()
        total = used + key_states.shape[-2]
        keys, values = self.reserved(total, key_states, value_states)
        keys[..., used:total, :] = key_states
        values[..., used:total, :] = value_states
        self.use(total)
        return self.keys, self.values

    def reserved(self, total: int, keys: torch.Tensor, values: torch.Tensor) -> Buffers:
        """The buffers, with room for so many positions; new ones if they are too small.

        Args:
            total: number of positions.
            keys: shows heads, width and type of keys.
            values: shows the same of values.
        """
        if self.buffers is None or total > self.buffers[0].shape[-2]:
            used, room = self.get_seq_length(), -(-total // BLOCK) * BLOCK
            self.buffers = (
                _grown(self.keys, keys, used, room),
                _grown(self.values, values, used, room),
            )
            self.use(used)  # the old buffers are free now
        return self.buffers

    def use(self, total: int) -> None:
        """Let the cache hold the first so many positions of its buffers."""
        assert self.buffers is not None
        keys, values = self.buffers
        self.keys, self.values = keys[..., :total, :], values[..., :total, :]

    def replace(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Replace all stored keys and values."""
        self.keys, self.values, self.buffers = keys, values, None


def _grown(old: torch.Tensor, new: torch.Tensor, used: int, room: int) -> torch.Tensor:
    buffer = new.new_zeros((*new.shape[:-2], room, new.shape[-1]))
    if used:
        buffer[..., :used, :] = old
    return buffer
