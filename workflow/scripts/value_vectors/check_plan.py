"""Which sets of units are zeroed at which backtracks, and which cases are verified."""

from dataclasses import dataclass

import polars as pl

from doubletake.model.value_vectors import SIDE_SIGNS
from doubletake.stats.draws import Name, array_generator, ranked_by_generator
from doubletake.stats.verification import Case, Verification, drawn
from value_vectors.mlp_units import LayerUnits
from value_vectors.random_sets import matched_random_sets, replaceable
from value_vectors.set_tests import draws_needed
from value_vectors.tables import VALUE_VECTOR_SETS


@dataclass(frozen=True)
class CausalCheckSettings:
    """How the causal check is made."""

    checked_vectors: int
    """Number of vectors of each side that are zeroed together."""
    random_draws: int
    """Number of random sets for each test that Holm's correction counts."""
    checked_positions: int
    """Number of backtracks to check."""
    seed: int
    """Seed of the draw of positions and random sets."""
    batch_memory: float
    """Memory for one batch in addition to the model, in GiB."""
    verification: Verification
    """How many cases are computed again by a full pass."""


def planned_sets(
    layers: list[LayerUnits], rows: list[int], settings: CausalCheckSettings
) -> pl.DataFrame:
    """The table `value_vectors/sets`: listed sets, and random sets that write as much.

    All sets are the same at all positions.

    Args:
        layers: units of all layers.
        rows: rows of the checked backtracks in the units' activations.
        settings: how many units and draws.
    """
    if not rows:
        return VALUE_VECTOR_SETS.schema.to_frame()
    count = draws_needed(settings.random_draws, len(layers) * len(SIDE_SIGNS))
    tables = []
    for part in layers:
        acts = part.at_backtracks[rows].double()
        sizes = (acts.abs().mean(0) * part.norms).numpy()
        along = (acts.mean(0) * part.norms * part.cosine).numpy()
        for number, side in enumerate(SIDE_SIGNS):
            listed = sorted(part.extreme[side][: settings.checked_vectors])
            rng = array_generator(settings.seed, 3 * part.layer + number)
            random_sets = matched_random_sets(sizes, listed, count, rng)
            units = [listed, *random_sets.tolist()]
            columns = {
                "layer": [part.layer] * len(units),
                "side": [side] * len(units),
                "draw": range(len(units)),
                "vectors": units,
                "replaceable": [replaceable(sizes, listed)] * len(units),
                "written": sizes[units].sum(1),
                "along": along[units].sum(1),
            }
            tables.append(pl.DataFrame(columns, schema=VALUE_VECTOR_SETS.schema))
    return VALUE_VECTOR_SETS.check(pl.concat(tables))


def checked_rows(backtracks: pl.DataFrame, count: int, seed: int) -> list[int]:
    """Rows of the backtracks to check, drawn by seed and event alone."""
    names = backtracks.select("trace", "event").iter_rows()
    row_of: dict[Name, int] = {name: row for row, name in enumerate(names)}
    return [row_of[name] for name in ranked_by_generator(row_of, seed)[:count]]


def cases_to_verify(
    positions: list[tuple[str, int, int]], zeroings: int, settings: Verification
) -> dict[tuple[str, int], set[int]]:
    """Numbers of the zeroings to compute again by a full pass, by trace and event.

    Costs are tokens of all layers. The check itself reads a prefix once and its last
    token once per zeroing. A full pass reads all tokens for a single zeroing.

    Args:
        positions: trace, event and number of tokens of every checked position.
        zeroings: their number at each position; number 0 zeroes nothing.
        settings: how many to verify.
    """
    cases = [
        Case((trace, event, number), tokens)
        for trace, event, tokens in positions
        for number in range(zeroings)
    ]
    work = sum(tokens - 1 + zeroings for _, _, tokens in positions)
    numbers: dict[tuple[str, int], set[int]] = {}
    for case in drawn(cases, work, settings):
        trace, event, number = case.name
        numbers.setdefault((str(trace), int(event)), set()).add(int(number))
    return numbers
