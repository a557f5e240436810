"""The probability of turning back after a token, with each of many interventions.

An intervention acts at the last token alone. The tokens before it are read once,
without a change (`doubletake.model.packed_queries`). This is what decoding does with
the same interventions, from this token on.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from doubletake.model.batch_memory import FLOAT32, GIB
from doubletake.model.decoder import Decoder
from doubletake.model.hooks import Place, registered, replaced
from doubletake.model.interventions import Intervention, width_of
from doubletake.model.lens import Lens
from doubletake.model.packed_queries import last_token_states
from doubletake.model.word_log_odds import word_log_odds

STATES_AT_ONCE = 256  # states whose logits are in memory
Change = Callable[[torch.Tensor], torch.Tensor]


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

    def log_odds(self, states: torch.Tensor) -> torch.Tensor:
        """Log-odds of the words against all tokens but white space: [state], float64.

        Args:
            states: [state, d_model], after the final norm.
        """
        parts = [
            word_log_odds(self.lens, part, self.words, self.white_space)
            for part in states.split(STATES_AT_ONCE)
        ]
        return torch.cat(parts).double()

    def probabilities(self, states: torch.Tensor) -> torch.Tensor:
        """Mass of the words as a share of all mass but white space: [state], float64.

        Args:
            states: [state, d_model], after the final norm.
        """
        return self.log_odds(states).sigmoid()


class PackedInterventions:
    """Interventions at one last token, a set of them per query.

    Query 0 changes nothing. The tensors of a batch are kept for the next sequence,
    where the batches are mostly the same.
    """

    def __init__(
        self,
        decoder: Decoder,
        sets: Iterable[tuple[Intervention, ...]],
        batch_memory: float,
    ) -> None:
        """Keep the model and the sets.

        Args:
            decoder: the model.
            sets: what is changed, one by one; each set at once.
            batch_memory: memory for a batch in addition to the model, in GiB. Tensors
                that would need more in all are not kept, but made again.
        """
        self.decoder, self.batch_memory = decoder, batch_memory
        self.queries: list[tuple[Intervention, ...]] = [(), *sets]
        widths = {
            place: width_of(decoder, *place)
            for place in {
                (one.part, one.layer) for query in self.queries for one in query
            }
        }
        sums = [
            sum(widths[one.part, one.layer] for one in query) for query in self.queries
        ]
        # States, their changed copy, and at most three vectors.
        self.bytes_per_query = 5.0 * FLOAT32 * max(sums)
        self.are_kept = 3.0 * FLOAT32 * sum(sums) <= batch_memory * GIB
        self._made: dict[tuple[int, ...], dict[Place, Change]] = {}

    def probabilities(
        self, reader: TurnReader, ids: Sequence[int], name: str
    ) -> torch.Tensor:
        """Probability of turning back after the last token: [1 + set], float64.

        Args:
            reader: of final states.
            ids: tokens up to the last one.
            name: what to call the sequence in a message.
        """
        return reader.probabilities(self.states(ids, name))

    def states(self, ids: Sequence[int], name: str) -> torch.Tensor:
        """Final states of the last token, [1 + set, d_model]; see `probabilities`."""
        return last_token_states(
            self.decoder,
            ids,
            range(len(self.queries)),
            self.changed,
            lambda batch: self.bytes_per_query * len(batch),
            self.batch_memory,
            name,
        )

    @contextmanager
    def changed(self, numbers: Sequence[int]) -> Iterator[None]:
        """Inside it, query k of states [1, query, width] is that of `numbers[k]`."""
        key = (numbers[0], numbers[-1], len(numbers))
        changes, decoder = self._made.get(key), self.decoder
        if changes is None:
            changes = self._changes(numbers)
        if self.are_kept:
            self._made[key] = changes
        boundaries = [place for place in changes if place[0] == "resid"]

        def change(name: str, layer: int, states: torch.Tensor) -> torch.Tensor:
            return changes[name, layer](states)

        def inputs_of(change: Change) -> Any:
            return lambda _, inputs: (change(inputs[0]), *inputs[1:])

        modules = {"heads": decoder.attention_out, "units": decoder.mlp_down}
        with (
            replaced(decoder, change, boundaries),
            registered(
                modules[part](layer).register_forward_pre_hook(inputs_of(change))
                for (part, layer), change in changes.items()
                if part in modules
            ),
        ):
            yield

    def _changes(self, numbers: Sequence[int]) -> dict[Place, Change]:
        """The change of every place that one of these queries has one at."""
        found: dict[Place, dict[int, Intervention]] = defaultdict(dict)
        for row, number in enumerate(numbers):
            for one in self.queries[number]:
                found[one.part, one.layer][row] = one
        return {
            place: joined(members, width_of(self.decoder, *place), self.decoder.device)  # type: ignore[arg-type]
            for place, members in found.items()
        }


def joined(
    members: Mapping[int, Intervention], width: int, device: torch.device
) -> Change:
    """One change of states [1, query, width] for the interventions of several queries.

    As `Intervention` says: (x - share (x . u) u) * factors + added, in float32.

    Args:
        members: an intervention by its query.
        width: of the states.
        device: of the states.
    """
    rows = sorted(members)
    chosen = [members[row] for row in rows]
    removed = _stacked([one.removed for one in chosen], torch.zeros(width), device)
    added = _stacked([one.added for one in chosen], torch.zeros(width), device)
    factors = _stacked([one.factors for one in chosen], torch.ones(width), device)
    shares = torch.tensor([one.share for one in chosen], device=device)[:, None]

    def change(states: torch.Tensor) -> torch.Tensor:
        x = states[0, rows].float()
        if removed is not None:
            x = x - shares * (x * removed).sum(-1, keepdim=True) * removed
        if factors is not None:
            x = x * factors
        if added is not None:
            x = x + added
        new = states.clone()
        new[0, rows] = x.to(states.dtype)
        return new

    return change


def _stacked(
    vectors: Sequence[torch.Tensor | None], nothing: torch.Tensor, device: torch.device
) -> torch.Tensor | None:
    """Vectors [query, width] with `nothing` for None; None if all are None."""
    if all(vector is None for vector in vectors):
        return None
    width = len(nothing)
    rows = [
        nothing if vector is None else vector.repeat_interleave(width // len(vector))
        for vector in vectors
    ]
    return torch.stack(rows).to(device)


@torch.inference_mode()
def plain_states(
    decoder: Decoder, ids: Sequence[int], interventions: Iterable[Intervention]
) -> torch.Tensor:
    """The same for one set: a full pass in which simple hooks change the last token.

    Args:
        decoder: the model.
        ids: tokens up to the last one.
        interventions: of the set.

    Returns:
        [1, d_model], after the final norm, float32.
    """

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

    places: dict[Place, Intervention] = {
        (item.part, item.layer): item for item in interventions
    }

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
    return output.last_hidden_state[:, -1].float()
