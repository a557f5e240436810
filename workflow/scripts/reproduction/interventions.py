"""Published claims on steering and ablation, measured in a run.

The tables are those of the stages `injection`, `steering`, `wrong_samples` and
`ablation`.
"""

from dataclasses import replace

import polars as pl

from doubletake.page.wording import probability
from reproduction.run import Finding, NotMeasured, Run, all_of

INJECTION, STEERING = "injection/tests", "steering/summary"
WRONG_SAMPLES, ABLATION = "wrong_samples/summary", "ablation/effects"
EVERY = "every"
"""A vector that is added at every token."""
PLACES = {
    EVERY: "every token",
    "sentence_ends": "ends of sentences",
    "paragraph_ends": "ends of paragraphs",
}
SMALL = 0.1
"""A gain of accuracy below this share counts as small."""
SMALL_RISE = 0.5
"""A rise below this number of backtracks per 100 tokens counts as small."""
LEVEL = 0.05
"""Largest corrected p-value of a claim."""


def injected_once(run: Run) -> Finding:
    """Share of the divergence that falls on the first token, the lowest one tested."""
    tests = run.rows(INJECTION, place="prompt_end").drop_nulls("share")
    if tests.is_empty():
        raise NotMeasured(f"no row of {INJECTION} has a share at the prompt's end")
    row = tests.sort("share").row(0, named=True)
    outcomes = [None if low is None else low > 0.5 for low in tests["share_low"]]
    found = _of(row, INJECTION, "share", "n", all_of(outcomes))
    return found.judged(found.holds, f"of {tests.height} directions and depths")


def injected_attention(run: Run) -> Finding:
    """Attention to the injected token minus that to it unsteered, the largest one."""
    tests = run.rows(INJECTION, place="prompt_end").drop_nulls("difference")
    if tests.is_empty():
        raise NotMeasured(f"no row of {INJECTION} has attention at the prompt's end")
    row = tests.sort("difference", descending=True).row(0, named=True)
    verdicts = tests["verdict"].value_counts(sort=True).rows()
    checked = [verdict for verdict, _ in verdicts if verdict != "not checked"]
    found = _of(row, INJECTION, "difference", "n", None)
    return found.judged(
        all_of(verdict == "supported" for verdict in checked),
        ", ".join(f"{verdict}: {count}" for verdict, count in verdicts),
    )


def continuous(run: Run) -> Finding:
    """Change of turning at the largest strength at which the text stays whole.

    Hard to control: some strength breaks the text, and none at which it is whole is
    compatible with a rise by more than `SMALL_RISE`. Not so: a strength raises turning
    while the text stays whole, or none breaks it.
    """
    rows = _side(run, toward=True)
    found, intact = _strongest(rows), rows.filter("intact")
    ends = intact.select("backtracks_change_low", "backtracks_change_high").rows()
    if any(None in pair for pair in ends):
        return found.judged(None)
    if intact.height == rows.height or any(low > 0 for low, _ in ends):
        return found.judged(False)
    return found.judged(all(high < SMALL_RISE for _, high in ends) or None)


def wrap_up(run: Run) -> Finding:
    """Fewer turns away from turning back, at the largest strength of whole text.

    Easier: turning falls there by more than it rises on the other side.
    """
    toward = _strongest(_side(run, toward=True))
    away = _mirrored(_strongest(_side(run, toward=False)))
    return away.judged(away.above(toward))


def wrong_samples(run: Run) -> Finding:
    """Wrong thoughts mended by steering, minus those mended by resampling."""
    found = run.cell(
        WRONG_SAMPLES,
        "over_resample",
        "draws",
        start="wrong",
        place="last",
        action="steer",
    )
    return found.judged(None if found.high is None else found.high < SMALL)


def targeted(run: Run) -> Finding:
    """Turning with units set to 0 that should matter, minus with random units.

    Of all ablations of units that the experiment may claim, the one of smallest
    p-value, which is corrected for all of them.
    """
    rows = run.rows(ABLATION, mode="zero").filter(
        pl.col("target").str.ends_with("_units")
    )
    tested = rows.drop_nulls(["p_holm", "over_random"])
    if tested.is_empty():
        raise NotMeasured(f"no row of {ABLATION} compares units with random ones")
    row = tested.sort("p_holm").row(0, named=True)
    holds = row["p_holm"] <= LEVEL and row["over_random"] < 0
    found = _of(row, ABLATION, "over_random", "boundaries", holds)
    return replace(found, note=f"{row['ablation']}, p {probability(row['p_holm'])}")


def _of(row: dict, table: str, column: str, count: str, holds: bool | None) -> Finding:
    return Finding(
        table,
        column,
        row[column],
        row[f"{column}_low"],
        row[f"{column}_high"],
        row[count],
        row["problems"],
        holds,
    )


def _side(run: Run, *, toward: bool) -> pl.DataFrame:
    """Strengths of the chosen direction that should raise (or lower) turning.

    Raises:
        NotMeasured: no strength lies on this side, or by the published recipe, the
            direction is not added at every token.
    """
    # By our recipe the chosen direction is added where the screening says.
    asked = {"positions": EVERY} if run.published else {}
    rows = run.rows(STEERING, **asked).drop_nulls("backtracks_change")
    # The direction `wrap_up` points away from turning back, all others toward it.
    sign = pl.when(pl.col("direction") == "wrap_up").then(-1).otherwise(1)
    along = pl.col("strength") * sign
    rows = rows.filter(along > 0 if toward else along < 0)
    if rows.is_empty():
        raise NotMeasured(f"no strength on this side in {STEERING}")
    return rows.sort(pl.col("strength").abs())


def _strongest(rows: pl.DataFrame) -> Finding:
    """Change of turning at the largest strength with whole text, else the smallest."""
    intact = rows.filter("intact")
    row = (intact if intact.height else rows.head(1)).row(-1, named=True)
    found = _of(row, STEERING, "backtracks_change", "thoughts", None)
    place = PLACES[row["positions"]]
    note = f"{row['direction']} at {place}, strength {row['strength']:g}"
    return replace(found, note=note if row["intact"] else f"{note}, text not whole")


def _mirrored(found: Finding) -> Finding:
    """The number with the other sign."""
    value, low, high = (
        None if number is None else -number
        for number in (found.value, found.high, found.low)
    )
    return replace(found, value=value, low=low, high=high)
