"""The probability of turning back at a boundary, with each ablation, exactly.

The change acts at the boundary, the last token of an arrival's sentence. The tokens
before it are read once, without a change (`doubletake.model.packed_queries`). This is
what decoding does with the same interventions, from the boundary on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch

from ablation.plan import AblationSet
from doubletake.model.batch_memory import FLOAT32
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import Place, registered, replaced
from doubletake.model.interventions import Intervention, width_of
from doubletake.model.lens import Lens
from doubletake.model.packed_queries import last_token_states
from doubletake.model.word_log_odds import word_log_odds

STATES_AT_ONCE = 256  # states whose logits are in memory
Queries = Sequence[tuple[Intervention, ...]]
"""The interventions of each query."""


class TurnReader:
    """Reads the probability of turning back off final states."""

    def __init__(
        self, decoder: Decoder, words: torch.Tensor, white_space: torch.Tensor
    ) -> None:
        """Keep the model's lens.

        Args:
            decoder: the model.
            words: [token], the backtrack words.
            white_space: [token], tokens of white space only.
        """
        self.lens, self.words, self.white_space = Lens.of(decoder), words, white_space

    def probabilities(self, states: torch.Tensor) -> torch.Tensor:
        """Mass of the words as a share of all mass but white space: [state], float64.

        Args:
            states: [state, d_model], after the final norm.
        """
        parts = [
            word_log_odds(self.lens, part, self.words, self.white_space)
            for part in states.split(STATES_AT_ONCE)
        ]
        return torch.cat(parts).double().sigmoid()


def turn_probabilities(
    decoder: Decoder,
    reader: TurnReader,
    ids: Sequence[int],
    sets: Sequence[AblationSet],
    batch_memory: float,
    name: str,
) -> torch.Tensor:
    """Probability of turning back after the last token: [1 + set], float64.

    Args:
        decoder: the model.
        reader: of final states.
        ids: tokens up to the boundary.
        sets: what is taken away, one by one. The first result is without any.
        batch_memory: memory for a batch in addition to the model, in GiB.
        name: what to call the sequence in a message.
    """
    queries: list[tuple[Intervention, ...]] = [(), *(s.interventions for s in sets)]
    most = _kept_bytes(decoder, queries)
    states = last_token_states(
        decoder,
        ids,
        queries,
        partial(ablated, decoder),
        lambda batch: most * len(batch),
        batch_memory,
        name,
    )
    return reader.probabilities(states)


@contextmanager
def ablated(decoder: Decoder, queries: Queries) -> Iterator[None]:
    """Inside it, query k of [1, query, width] has the interventions of `queries[k]`.

    Args:
        decoder: the model.
        queries: each intervention acts alone in its place.
    """
    changes = {
        place: _joined(decoder, place, queries, members)
        for place, members in _by_place(queries).items()
    }
    boundaries = [place for place in changes if place[0] == "resid"]

    def change(name: str, layer: int, states: torch.Tensor) -> torch.Tensor:
        return changes[name, layer](states)

    def inputs_of(place: Place) -> Any:
        return lambda _, inputs: (changes[place](inputs[0]), *inputs[1:])

    modules = {"heads": decoder.attention_out, "units": decoder.mlp_down}
    with (
        replaced(decoder, change, boundaries),
        registered(
            modules[part](layer).register_forward_pre_hook(inputs_of((part, layer)))
            for part, layer in changes
            if part in modules
        ),
    ):
        yield


def _by_place(queries: Queries) -> dict[Place, dict[int, Intervention]]:
    """The intervention of every query that has one, by place."""
    found: dict[Place, dict[int, Intervention]] = defaultdict(dict)
    for number, query in enumerate(queries):
        for one in query:
            found[one.part, one.layer][number] = one
    return found


def _joined(
    decoder: Decoder,
    place: Place,
    queries: Queries,
    members: dict[int, Intervention],
) -> Callable[[torch.Tensor], torch.Tensor]:
    """The change of states [1, query, width] in one place.

    As `Intervention` says: (x - share (x . u) u) * factors + added, in float32.
    """
    part, layer = place
    width = width_of(decoder, part, layer)  # type: ignore[arg-type]
    rows = sorted(members)
    removed, added = torch.zeros(len(rows), width), torch.zeros(len(rows), width)
    factors = torch.ones(len(rows), width)
    for row, number in enumerate(rows):
        one = members[number]
        if one.removed is not None:
            removed[row] = one.removed * one.share**0.5
        if one.factors is not None:
            factors[row] = one.factors.repeat_interleave(width // len(one.factors))
        if one.added is not None:
            added[row] = one.added
    removed, added, factors = (
        part.to(decoder.device) for part in (removed, added, factors)
    )

    def change(states: torch.Tensor) -> torch.Tensor:
        x = states[0, rows].float()
        x = x - (x * removed).sum(-1, keepdim=True) * removed
        new = states.clone()
        new[0, rows] = (x * factors + added).to(states.dtype)
        return new

    return change


def _kept_bytes(decoder: Decoder, queries: Queries) -> float:
    """The most that the changes of one query hold: three vectors each, in bytes."""
    sums = {
        sum(width_of(decoder, one.part, one.layer) for one in query)
        for query in queries
    }
    return 3.0 * FLOAT32 * max(sums)


@torch.inference_mode()
def plain_probability(
    decoder: Decoder, reader: TurnReader, ids: Sequence[int], one: AblationSet
) -> float:
    """The same for one set, from a full pass in which simple hooks change one token."""

    def changed(states: torch.Tensor, item: Intervention) -> torch.Tensor:
        new = states.clone()
        x = new[0, -1].float()
        if item.removed is not None:
            u = item.removed.to(x)
            x = x - item.share * (x @ u) * u
        if item.factors is not None:
            parts = x.unflatten(0, (len(item.factors), -1))
            x = (parts * item.factors.to(x)[:, None]).flatten()
        if item.added is not None:
            x = x + item.added.to(x)
        new[0, -1] = x.to(new.dtype)
        return new

    places = {(item.part, item.layer): item for item in one.interventions}

    def change(name: str, layer: int, states: torch.Tensor) -> torch.Tensor:
        return changed(states, places[name, layer])

    def hook(item: Intervention) -> Any:
        return lambda _, inputs: (changed(inputs[0], item), *inputs[1:])

    modules = {"heads": decoder.attention_out, "units": decoder.mlp_down}
    handles = (
        modules[part](layer).register_forward_pre_hook(hook(item))
        for (part, layer), item in places.items()
        if part in modules
    )
    resid = [place for place in places if place[0] == "resid"]
    with replaced(decoder, change, resid), registered(handles):
        tokens = torch.tensor([list(ids)], device=decoder.device)
        output = decoder.base(input_ids=tokens, use_cache=False)
    return float(reader.probabilities(output.last_hidden_state[:, -1].float())[0])
