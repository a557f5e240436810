"""A cache layer that appends keys and values in place, in a buffer that grows."""

import torch
from transformers.cache_utils import DynamicLayer

BLOCK = 256  # positions by which a buffer grows


class GrowingLayer(DynamicLayer):
    """Keys and values [slot, head, position, d] in a buffer that grows by blocks."""

    keys: torch.Tensor
    values: torch.Tensor
    buffers: tuple[torch.Tensor, torch.Tensor] | None = None

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
        if self.buffers is None or total > self.buffers[0].shape[-2]:
            room = -(-total // BLOCK) * BLOCK
            self.buffers = (
                _grown(self.keys, key_states, used, room),
                _grown(self.values, value_states, used, room),
            )
        keys, values = self.buffers
        keys[..., used:total, :] = key_states
        values[..., used:total, :] = value_states
        self.keys, self.values = keys[..., :total, :], values[..., :total, :]
        return self.keys, self.values

    def replace(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        """Replace all stored keys and values."""
        self.keys, self.values, self.buffers = keys, values, None


def _grown(old: torch.Tensor, new: torch.Tensor, used: int, room: int) -> torch.Tensor:
    buffer = new.new_zeros((*new.shape[:-2], room, new.shape[-1]))
    if used:
        buffer[..., :used, :] = old
    return buffer
