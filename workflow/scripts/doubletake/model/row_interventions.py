"""Interventions of all slots of a batch, side by side in each place of the model.

Each place has one hook. It changes the states of all slots at once, with one row of
every vector per slot, and keeps the exact states of slots where nothing acts. The
vectors and the masks lie in buffers that are made once and then changed in place, so
that a step reads only tensors with fixed addresses and waits for nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from doubletake.model.captured_step import Hooks
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.hooks import replaced
from doubletake.model.interventions import (
    TEXT_KINDS,
    Intervention,
    InterventionRecord,
    Positions,
    width_of,
)
from doubletake.model.watched_text import TextReader, WatchedText

FOREVER = np.iinfo(np.int64).max
NEUTRAL = {"added": 0.0, "factors": 1.0, "removed": 0.0}
"""Values of the tensors of an intervention that change nothing."""


class _Place:
    """Interventions in one place of the model, one per slot."""

    def __init__(self, size: int, width: int, device: torch.device) -> None:
        """No slot has an intervention."""
        self.size, self.width, self.device = size, width, device
        self.active = torch.zeros((size, 1, 1), dtype=torch.bool, device=device)
        self.shares = torch.zeros((size, 1, 1), device=device)
        self.vectors: dict[str, torch.Tensor] = {}  # [slot, 1, width], by name
        # On the host: where the intervention of each slot begins and stops to act.
        self.first = np.full(size, FOREVER)
        self.stop = np.full(size, FOREVER)
        self.kinds: dict[int, str] = {}  # positions that the text decides, by slot
        self.mask = np.zeros(size, dtype=bool)  # what `active` holds

    @property
    def is_used(self) -> bool:
        """Whether a slot has an intervention."""
        return bool((self.first < FOREVER).any())

    def put(self, slot: int, intervention: Intervention) -> None:
        """Give a slot its intervention."""
        self.first[slot], self.stop[slot] = _bounds(intervention.positions)
        if intervention.positions.kind in TEXT_KINDS:
            self.kinds[slot] = intervention.positions.kind
        self.shares[slot] = intervention.share
        for name, neutral in NEUTRAL.items():
            vector = getattr(intervention, name)
            if vector is not None and name not in self.vectors:
                shape = (self.size, 1, self.width)
                self.vectors[name] = torch.full(shape, neutral, device=self.device)
            if name in self.vectors:
                own = neutral if vector is None else self._whole(vector)
                self.vectors[name][slot] = own

    def clear(self, slot: int) -> None:
        """Let nothing act on a slot."""
        self.first[slot] = FOREVER
        self.kinds.pop(slot, None)

    def keep(self, slots: list[int]) -> None:
        """Keep some slots only, in this order."""
        count, index = len(slots), torch.tensor(slots, device=self.device)
        for tensor in (self.active, self.shares, *self.vectors.values()):
            tensor[:count] = tensor[index]
        for array in (self.first, self.stop, self.mask):
            array[:count] = array[slots]
        self.first[count:] = FOREVER
        self.kinds = {
            row: self.kinds[slot]
            for row, slot in enumerate(slots)
            if slot in self.kinds
        }

    def aim(self, positions: np.ndarray, texts: dict[int, WatchedText]) -> bool:
        """Set the mask for the tokens that are read next; whether anything acts."""
        mask = (self.first <= positions) & (positions < self.stop)
        for slot, kind in self.kinds.items():
            mask[slot] = texts[slot].shows(kind)
        if not np.array_equal(mask, self.mask):
            self.active[:, 0, 0] = torch.from_numpy(mask).to(self.device)
            self.mask = mask
        return bool(mask.any())

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """The tensors that `change` reads, by name."""
        return {"active": self.active, "shares": self.shares, **self.vectors}

    def change(self, states: torch.Tensor) -> torch.Tensor:
        """New states [slot, 1, width], in the dtype of the states."""
        count = len(states)
        new = states.float()
        if "removed" in self.vectors:
            unit = self.vectors["removed"][:count]
            along = (new * unit).sum(-1, keepdim=True)
            new = new - self.shares[:count] * along * unit
        if "factors" in self.vectors:
            new = new * self.vectors["factors"][:count]
        if "added" in self.vectors:
            new = new + self.vectors["added"][:count]
        return torch.where(self.active[:count], new.to(states.dtype), states)

    def _whole(self, vector: torch.Tensor) -> torch.Tensor:
        """The vector on the device, with the factor of a head for all its numbers."""
        whole = vector.to(self.device, torch.float32)
        return whole.repeat_interleave(self.width // len(whole))


def _bounds(positions: Positions) -> tuple[int, int]:
    """First position, and the first after the last one, without regard to the text."""
    if positions.kind == "prompt_end":
        return 0, 1
    if positions.kind == "first":
        return 0, positions.count
    if positions.kind == "from":
        return positions.count, FOREVER
    return 0, FOREVER


class RowInterventions:
    """The interventions of the requests that are in slots."""

    def __init__(
        self,
        decoder: Decoder,
        size: int,
        reader: TextReader | None = None,
        record: InterventionRecord | None = None,
    ) -> None:
        """No slot has a request.

        Args:
            decoder: the model.
            size: number of slots.
            reader: reads the completions where their text decides positions.
            record: takes the positions at which states are changed.
        """
        self.decoder, self.size = decoder, size
        self.reader, self.record = reader, record
        self._places: dict[tuple[str, int, int], _Place] = {}
        self._positions = np.zeros(size, dtype=np.int64)  # of the tokens read next
        self._texts: dict[int, WatchedText] = {}

    @classmethod
    def of(
        cls,
        decoder: Decoder | None,
        size: int,
        reader: TextReader | None = None,
        record: InterventionRecord | None = None,
    ) -> "RowInterventions | None":
        """As the class; None where no decoder is given."""
        return None if decoder is None else cls(decoder, size, reader, record)

    def emptied(self, size: int) -> "RowInterventions":
        """The same for another number of slots, none of which has a request."""
        return RowInterventions(self.decoder, size, self.reader, self.record)

    def put(self, slot: int, request: GenerationRequest) -> None:
        """Give a slot the interventions of its request.

        Raises:
            ValueError: the text decides positions, but there is no `reader`.
            InputError: as `TextReader.watch`.
        """
        self.clear(slot)
        self._positions[slot] = 0
        if self.record is not None:  # begun before memory ran out
            self.record.positions.pop((request.name, request.trace), None)
        numbers: dict[tuple[str, int], int] = {}
        for one in request.interventions:
            number = numbers.get((one.part, one.layer), 0)
            numbers[one.part, one.layer] = number + 1
            key = (one.part, one.layer, number)
            if key not in self._places:
                width = width_of(self.decoder, one.part, one.layer)
                self._places[key] = _Place(self.size, width, self.decoder.device)
            self._places[key].put(slot, one)
            if one.positions.kind in TEXT_KINDS and slot not in self._texts:
                if self.reader is None:
                    raise ValueError(f"{one.name}: its positions need a TextReader")
                self._texts[slot] = self.reader.watch(request.trace)

    def clear(self, slot: int) -> None:
        """Let nothing act on a slot."""
        self._texts.pop(slot, None)
        for key, place in list(self._places.items()):
            place.clear(slot)
            if not place.is_used:
                del self._places[key]

    def keep(self, slots: list[int]) -> None:
        """Keep some slots only, in this order."""
        self._positions[: len(slots)] = self._positions[slots]
        self._texts = {
            row: self._texts[slot]
            for row, slot in enumerate(slots)
            if slot in self._texts
        }
        for place in self._places.values():
            place.keep(slots)

    @contextmanager
    def acting(
        self,
        completions: Sequence[tuple[GenerationRequest, list[int]] | None],
        *,
        always: bool = False,
    ) -> Iterator[Hooks]:
        """Let the interventions act on the one forward pass inside the block.

        Args:
            completions: request and tokens so far of each slot; the pass reads the last
                of these tokens. None: the slot is free.
            always: hooks also where nothing acts at this token (masks are empty there),
                so that a captured step serves for many tokens.

        Yields:
            The tensors that the hooks read.
        """
        for slot, text in self._texts.items():
            completion = completions[slot]
            assert completion is not None
            for token in completion[1][text.count :]:
                text.add(token)
        acting: dict[tuple[str, int], list[_Place]] = {}
        hooks: list[tuple[str, torch.Tensor]] = []
        for (part, layer, number), place in sorted(self._places.items()):
            if place.aim(self._positions, self._texts) or always:
                acting.setdefault((part, layer), []).append(place)
                hooks += [
                    (f"{part}.{layer}.{number}.{name}", tensor)
                    for name, tensor in place.tensors.items()
                ]

        def change(part: str, layer: int, states: torch.Tensor) -> torch.Tensor:
            for place in acting[part, layer]:
                states = place.change(states)
            return states

        if acting:
            with replaced(self.decoder, change, acting):
                yield tuple(hooks)
        else:
            yield ()
        if self.record is not None:
            self._note(self.record, completions, acting)
        self._positions += 1

    def _note(
        self,
        record: InterventionRecord,
        completions: Sequence[tuple[GenerationRequest, list[int]] | None],
        acting: dict[tuple[str, int], list[_Place]],
    ) -> None:
        """Note where states were changed."""
        changed = np.zeros(self.size, dtype=bool)
        for places in acting.values():
            for place in places:
                changed |= place.mask
        for slot in np.flatnonzero(changed).tolist():
            completion = completions[slot]
            assert completion is not None
            request, position = completion[0], int(self._positions[slot])
            record.positions[request.name, request.trace].append(position)
