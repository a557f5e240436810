"""The page's part on thresholds that one study has chosen and another one uses."""

from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, percent, plural, points, probability, real

LEVEL = 0.05


@dataclass(frozen=True)
class ExitTransfers:
    """Sentences and tables on the transfer of thresholds."""

    sentences: list[str]
    sheets: list[Sheet]


def exit_transfers(transfer: pl.DataFrame, confidence: float) -> ExitTransfers:
    """What thresholds of one study do in another one.

    Args:
        transfer: the table `TRANSFER`.
        confidence: coverage of the intervals.
    """
    if transfer["used_on"].n_unique() < 2:
        return ExitTransfers(["Not checked: the config has one study."], [])
    pairs = transfer.filter(pl.col("chosen_on") != pl.col("used_on"))
    checked = pairs.filter(pl.col("over_own").is_not_null())
    sentences = [_verdict(checked), *_left_out(pairs)]
    sheets = [_matrix(transfer, confidence), _against_own(checked, confidence)]
    return ExitTransfers(sentences, [sheet for sheet in sheets if sheet.rows])


def _verdict(checked: pl.DataFrame) -> str:
    """Which transferred thresholds lose or gain accuracy against the own choice."""
    tested = checked.filter(pl.col("p_holm").is_not_null())
    changed = checked.filter(pl.col("changed") > 0)
    uses = f"{plural(checked.height, 'use')} of thresholds from another study"
    if checked.is_empty():
        return (
            "Not checked: no rule could be replayed with thresholds of another study."
        )
    if changed.is_empty():
        return f"In {uses}, no answer is right with one choice only."
    if tested.is_empty():
        return (
            f"Not checked: in {changed.height} of {uses} the choice changes an answer, "
            "on too few problems for a test."
        )
    claimed = tested.filter(pl.col("p_holm") <= LEVEL)
    loses, gains = (
        claimed.filter(sign * pl.col("over_own") > 0).height for sign in (-1, 1)
    )
    verdict = (
        f"Of {uses}, {loses} {_has(loses)} lower and {gains} {_has(gains)} higher "
        "accuracy than the study\u2019s own choice on the same thoughts (exact sign "
        f"test over problems at {percent(LEVEL, 0)}, corrected for the "
        f"{plural(tested.height, 'use')} that change an answer)."
    )
    lows = tested.filter(pl.col("over_own_low").is_not_null()).sort("over_own_low")
    if loses or lows.is_empty() or lows["over_own_low"][0] >= 0:
        return verdict
    worst = lows.row(0, named=True)
    return (
        f"{verdict} That does not show that nothing is lost: the interval of "
        f"{worst['rule']} from {_name(worst['chosen_on'])} in "
        f"{_name(worst['used_on'])} allows a loss of "
        f"{real(-100 * worst['over_own_low'])} points."
    )


def _left_out(pairs: pl.DataFrame) -> list[str]:
    """Rules of which nothing was transferred, with a reason."""
    missing = pairs.filter(pl.col("over_own").is_null())
    rows = missing.group_by("rule", maintain_order=True).agg(
        pl.len(), pl.first("why_not")
    )
    return [
        f"Not checked: {rule}, {plural(count, 'use')} ({reason or 'no own choice'})."
        for rule, count, reason in rows.iter_rows()
    ]


def _matrix(transfer: pl.DataFrame, confidence: float) -> Sheet:
    """Change of accuracy and tokens: a row per rule and choice, a column per study."""
    stops = transfer.group_by("rule").agg(pl.col("stopped").sum())
    shown = stops.filter(pl.col("stopped") > 0)["rule"].to_list()
    cells = {
        (row["rule"], row["chosen_on"], row["used_on"]): row
        for row in transfer.iter_rows(named=True)
    }
    users = transfer["used_on"].unique(maintain_order=True).to_list()
    names = [n for n in transfer["rule"].unique(maintain_order=True) if n in shown]
    rows = tuple(
        (
            name if position == 0 else "",
            _name(chooser),
            *(_cell(cells[name, chooser, user]) for user in users),
        )
        for name in names
        for position, chooser in enumerate(users)
    )
    return Sheet(
        "Thresholds of one study, used in another",
        ("rule", "chosen in", *(f"used in {_name(user)}" for user in users)),
        rows,
        (0, 1),
        "Each cell: accuracy at the stop minus that of the whole thought in points, "
        f"with its {percent(confidence, 0)} interval over problems; kept and trial "
        "tokens over those of the whole thoughts. Each third of the problems is "
        "reported with a threshold that other problems chose, by one standard error. "
        "Where two studies share a problem, it never chooses for itself. Rules that "
        "stop no thought are left out.",
    )


def _against_own(checked: pl.DataFrame, confidence: float) -> Sheet:
    """Each use of another study's thresholds, against the study's own choice."""
    return Sheet(
        "Against the study\u2019s own choice",
        (
            *("rule", "chosen in", "used in", "thresholds"),
            *("changed thoughts", "accuracy, points", "tokens, points", "p"),
        ),
        tuple(_own_row(row) for row in checked.iter_rows(named=True)),
        (0, 1, 2),
        "Differences on the same thoughts, with "
        f"{percent(confidence, 0)} intervals over problems. Tokens: kept and trial "
        "tokens over those of the whole thoughts. A threshold for each third of the "
        "problems; end: think to the end. Changed thoughts: right with one choice "
        "only. p: exact sign test over problems, corrected for all uses that change an "
        "answer (Holm).",
        folded=True,
    )


def _own_row(row: dict[str, Any]) -> tuple[str, ...]:
    thresholds = (
        "end" if value is None else f"{value:g}" for value in row["thresholds"]
    )
    return (
        row["rule"],
        _name(row["chosen_on"]),
        _name(row["used_on"]),
        ", ".join(thresholds),
        str(row["changed"]),
        _difference(row, "over_own"),
        _difference(row, "tokens_over_own"),
        probability(row["p_holm"]),
    )


def _cell(row: dict[str, Any]) -> str:
    if row["change"] is None:
        return NOTHING
    return f"{_difference(row, 'change')}; {percent(row['total_rate'], 0)}"


def _difference(row: dict[str, Any], name: str) -> str:
    """A difference in points, with its interval if it has one."""
    value, low, high = (row[key] for key in (name, f"{name}_low", f"{name}_high"))
    if low is None:
        return points(value)
    return f"{points(value)} ({points(low)} to {points(high)})"


def _name(study: str) -> str:
    return study.replace("/", " on ")


def _has(count: int) -> str:
    return "has" if count == 1 else "have"
