"""Sentences of the page that claim something of the chosen direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import count, listed, plural, probability, real
from steering.names import (
    AWAY,
    DIRECTION,
    PROBABILITY,
    SIDES,
    TOWARD,
    TURNED,
    expected_sign,
    in_words,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

LEAST_STRENGTHS = 5
"""Fewest strengths, none left out, over which turning is called monotone."""
OUTCOMES = {
    PROBABILITY: "the probability that the next token is a turn word",
    TURNED: "the share of continuations that turn back",
    "backtracks": "backtracks per 100 tokens of whole thoughts",
}


def steered_name(data: StudyData) -> str | None:
    """The direction that was tested; None where none was."""
    for table in ("steering/ladder", "steering/summary"):
        names = data.tables[table]["direction"].drop_nulls()
        if len(names):
            return str(names[0])
    return None


def against_random(data: StudyData, outcome: str) -> str:
    """On which sides the direction changes an outcome more than random vectors do."""
    name = in_words(steered_name(data) or "")
    rows = data.tables["steering/slopes"].filter(outcome=outcome).to_dicts()
    tested = [row for row in rows if row["holm"] is not None]
    subject = f"Steering with the direction {name}"
    what = OUTCOMES[outcome]
    if not tested:
        return f"{subject}: not checked against random vectors ({_too_few(rows)})."
    level = 1 - data.confidence
    p = listed([f"{row['side']} {probability(row['holm'])}" for row in tested])
    base = (
        f"{count(tested[0]['draws'])} random vectors of the same norm, "
        f"{plural(tested[0]['problems'], 'problem')}, strengths with whole text, "
        f"corrected p: {p}"
    )
    found = {row["side"]: _as_said(row) for row in tested if row["holm"] <= level}
    if not found:
        return (
            f"{subject} changes {what} on neither side more than random vectors do "
            f"({base})."
        )
    parts = [_change(side, as_said=found[side]) for side in SIDES if side in found]
    subject = subject[0].lower() + subject[1:]
    text = f"Compared with random vectors, {subject} {listed(parts)} {what}"
    left = [row["side"] for row in tested if row["side"] not in found]
    if left:
        text += f"; with strengths {left[0]} it is not told from them"
    return f"{text} ({base})."


def _change(side: str, *, as_said: bool) -> str:
    """What strengths of one side do to turning."""
    more = (side == TOWARD) == as_said
    sense = "" if as_said else ", against its sense,"
    return f"{'raises' if more else 'lowers'} (strengths {side}{sense})"


def _as_said(row: dict[str, Any]) -> bool:
    """Whether turning changes as the side says, compared with random vectors."""
    return row["slope"] > row["random_mean"]


def _too_few(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "no continuation"
    row = rows[0]
    return f"{plural(row['draws'], 'vector')}, {plural(row['problems'], 'problem')}"


def by_strength(data: StudyData, outcome: str) -> str:
    """Whether an outcome rises with the strength, as far as text is whole."""
    rows = data.tables["steering/trends"].filter(outcome=outcome).to_dicts()
    what = OUTCOMES[outcome]
    if not rows or rows[0]["p"] is None:
        why = "too few strengths with whole text" if rows else "no text"
        if rows and not data.is_enough(rows[0]["problems"]):
            why = plural(rows[0]["problems"], "problem")
        return f"Whether {what} rises with the strength is not checked ({why})."
    row = rows[0]
    sense = expected_sign(steered_name(data) or "")
    up, down = (row["rising"], row["falling"])[::sense]
    base = (
        f"over the {count(row['strengths'])} strengths around none at which text is "
        f"whole it rises on {count(up)} and falls on {count(down)} of "
        f"{plural(row['problems'], 'problem')}, sign test p {probability(row['p'])}"
    )
    told = row["p"] <= 1 - data.confidence
    verdict = "does not rise or fall with the strength, as far as can be told"
    if told:
        verdict = f"{'rises' if up > down else 'falls'} with the strength"
    return f"{what[0].upper()}{what[1:]} {verdict}: {base}. {monotone(row, sense)}"


def monotone(row: dict[str, Any], sense: int) -> str:
    """Over how many strengths the mean never goes back: a description.

    Args:
        row: of `TRENDS`.
        sense: sign of strengths toward turning back.
    """
    if not row["run"]:
        return "The mean is the same at all of them."
    low, high = sorted(sense * row[name] for name in ("run_from", "run_to"))
    rises = row["run_rises"] == (sense > 0)
    steps = row["run"]  # strengths after the first, so none is not counted
    enough = "" if steps >= LEAST_STRENGTHS else f", fewer than {LEAST_STRENGTHS}"
    word = "falls" if rises else "rises"
    return (
        f"The mean never {word} from {real(low, 2)} to {real(high, 2)} residual norms "
        f"({plural(steps, 'step')}{enough})."
    )


def outside_band(data: StudyData, outcome: str) -> list[str]:
    """At how many strengths an outcome lies outside the band of random vectors."""
    ladder = data.tables["steering/ladder"].filter(source=DIRECTION)
    rows = ladder.drop_nulls(f"{outcome}_outside")
    if rows.is_empty():
        return []
    sense = expected_sign(steered_name(data) or "")
    whole = rows.filter(pl.col("whole"))
    out = whole.filter(pl.col(f"{outcome}_outside")).with_columns(
        x=pl.col("strength") * sense
    )
    text = (
        f"Where text is whole, {OUTCOMES[outcome]} lies outside the band of random "
        f"vectors at "
        f"{count(out.height)} of {plural(whole.height, 'strength')}"
    )
    if out.height:
        found = ", ".join(
            f"{real(row['x'], 2)}: {_outside(row, outcome)}"
            for row in out.sort("x").to_dicts()
        )
        text += f" ({found})"
    chance = real((1 - data.confidence) * whole.height, 1)
    return [f"{text}; one more random vector would lie outside at {chance} on average."]


def _outside(row: dict[str, Any], outcome: str) -> str:
    return "above" if row[outcome] > row[f"{outcome}_band_high"] else "below"


def whole_limits(data: StudyData) -> list[str]:
    """The largest strength on each side at which text is whole."""
    rows = data.tables["steering/summary"].to_dicts()
    if len(rows) < 2:
        return []
    sense = expected_sign(steered_name(data) or "")
    parts = []
    for side, sign in ((TOWARD, sense), (AWAY, -sense)):
        own = sorted(
            (row for row in rows if row["strength"] * sign > 0),
            key=lambda row: abs(row["strength"]),
        )
        whole = [abs(row["strength"]) for row in own if row["intact"]]
        text = f"{real(whole[-1], 2)} {side}" if whole else f"none {side}"
        if whole and len(whole) == len(own):
            text += " (the largest that was decoded)"
        parts.append(text)
    tolerance = data.settings["steering"]["tolerance"]
    return [
        f"Largest strength at which text stays whole: {listed(parts)} residual norms. "
        f"Rule: coherence falls by less than {real(100 * tolerance, 0)}%, and thoughts "
        "without an end or in a loop are not more than with none, as far as their "
        "interval tells, here and at all smaller strengths."
    ]
