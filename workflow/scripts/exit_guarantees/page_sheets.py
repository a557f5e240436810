"""The page's tables on exit guarantees, and the words that its sentences share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, points, significant
from exit_guarantees.tables import CHOSEN_BY_ERROR, PROBLEM

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PROBE_MISSING = "LYNX is not checked: the trial points have no scores of a probe."


def all_groups(table: pl.DataFrame) -> pl.DataFrame:
    """The rows on all groups together."""
    return table.filter(pl.col("group").is_null())


def name_of(rule: str) -> str:
    """The name of a rule on the page."""
    return rule.replace("_", " ")


def largest(column: pl.Series) -> int:
    """The largest of whole numbers; 0 if there are none."""
    return max(column.drop_nulls().to_list(), default=0)


def smallest(column: pl.Series) -> int:
    """The smallest of whole numbers; 0 if there are none."""
    return min(column.drop_nulls().to_list(), default=0)


def promise(epsilon: float) -> str:
    """An allowed risk in words."""
    return f"at most {allowed(epsilon)} of all problems"


def allowed(share: float) -> str:
    """An allowed share as it is in the config: 0.05 as "5%"."""
    return f"{100 * share:g}%"


def sheets(data: StudyData) -> list[Sheet]:
    """Certificates and risks, chosen and published thresholds, conformal exits."""
    tables = [
        _risks(data, data.tables["exit_guarantees/risks"]),
        _chosen(data, data.tables["exit_guarantees/chosen"]),
        _conformal(data, data.tables["exit_guarantees/conformal"]),
    ]
    return [sheet for sheet in tables if sheet.rows]


def _risks(data: StudyData, table: pl.DataFrame) -> Sheet:
    groups = table.filter(pl.col("group").is_not_null())
    thresholds = {
        key: [threshold_text(value) for value in rows["threshold"]]
        for key, rows in groups.partition_by(
            "rule", "epsilon", as_dict=True, maintain_order=True
        ).items()
    }
    cells = []
    for row in all_groups(table).to_dicts():
        asked = (name_of(row["rule"]), allowed(row["epsilon"]))
        if row["certified"] is None:
            cells.append((*asked, f"not checked: {row['why_not']}", *[NOTHING] * 6))
            continue
        given = row["certified"] > 0
        problems = {"problems": row["promised"]}
        cells.append(
            (
                *asked,
                ", ".join(thresholds[row["rule"], row["epsilon"]]),
                f"{row['losses']}/{row['promised']}",
                percent(row["risk"]) if given else NOTHING,
                data.between(row | problems, percent, "risk") if given else NOTHING,
                significant(row["p_above_corrected"]) if given else NOTHING,
                _saved_share(row),
                _saved(data, row),
            )
        )
    return Sheet(
        "Asked and realised risk",
        (
            *("rule", "at most", "thresholds", "losses", "realised", "interval"),
            *("p above", "saved", "interval"),
        ),
        tuple(cells),
        words=(0, 2),
        note="Thresholds: certified for each of the three groups; end: nothing can be "
        "certified, so the thought goes on. Losses: of the problems with a "
        "certificate. P above: exact p-value against \u201cno certified threshold has "
        "a larger risk than was asked\u201d, corrected for all rows with a "
        f"certificate. {data.interval_note}",
    )


def _chosen(data: StudyData, table: pl.DataFrame) -> Sheet:
    cells = []
    for row in table.to_dicts():
        ours = row["choice"] == CHOSEN_BY_ERROR
        name = name_of(row["rule"] if ours else row["policy"])
        how = "chosen" if ours else "published"
        if row["thoughts"] is None:
            reason = f"not checked: {row['why_not']}"
            cells.append((name, how, reason, *[NOTHING] * 6))
            continue
        texts = [threshold_text(value) for value in row["thresholds"]]
        cells.append(
            (
                name,
                how,
                ", ".join(texts) if ours else texts[0],
                _saved_share(row),
                _saved(data, row),
                percent(row["accuracy"]),
                points(row["change"]),
                data.between(row, points, "change"),
                f"{count(row['helped'])}/{count(row['harmed'])}",
            )
        )
    return Sheet(
        "Chosen and published thresholds",
        (
            *("rule", "choice", "thresholds", "saved", "interval", "accuracy"),
            *("change", "interval", "helped/harmed"),
        ),
        tuple(cells),
        words=(0, 1, 2),
        note="Chosen: for each of the three groups on another one, by one standard "
        "error. Change: accuracy at the stop minus at the end of the same thoughts, in "
        f"points. {data.interval_note}",
    )


def _conformal(data: StudyData, table: pl.DataFrame) -> Sheet:
    cells = []
    for row in table.to_dicts():
        whole = row["group"] is None
        tested = row["p_above_corrected"]
        problems = {"problems": row["with_wrong"]}
        cells.append(
            (
                allowed(row["delta"]),
                "a problem" if row["case"] == PROBLEM else "a point",
                "all" if whole else count(row["group"]),
                NOTHING if whole else f"{row['right_cases']}/{row['wrong_cases']}",
                NOTHING if whole else _quantile(row["q_right"]),
                NOTHING if whole else _quantile(row["q_wrong"]),
                f"{row['stopped_wrong']}/{row['with_wrong']}",
                percent(row["error"]),
                data.between(row | problems, percent, "error")
                if row["with_wrong"]
                else NOTHING,
                NOTHING if tested is None else significant(tested),
                _saved_share(row),
            )
        )
    return Sheet(
        "The conformal exit of LYNX",
        (
            *("allowed", "case", "group", "right/wrong cases", "q right", "q wrong"),
            *("errors", "share", "interval", "p above", "saved"),
        ),
        tuple(cells),
        words=(1, 2),
        note="Errors: problems that are stopped at a wrong point, of those with a "
        "wrong point at which the rule looks, in groups with a finite quantile of "
        "wrong cases. Where a case is a point, as published, nothing is promised for "
        f"whole problems, so there is no test. {data.interval_note}",
    )


def threshold_text(value: float | None) -> str:
    """A threshold; without one the thought goes on to its end."""
    return "end" if value is None else f"{value:.4g}"


def _saved(data: StudyData, row: dict[str, Any]) -> str:
    """The interval of saved tokens, from that of the total rate."""
    low, high = row["total_rate_low"], row["total_rate_high"]
    saved = {
        "low": None if high is None else 1 - high,
        "high": None if low is None else 1 - low,
    }
    return data.between(row | saved, percent)


def _saved_share(row: dict[str, Any]) -> str:
    """Saved tokens; a dash without a thought."""
    rate = row["total_rate"]
    return NOTHING if rate is None else percent(1 - rate)


def _quantile(value: float | None) -> str:
    return "infinite" if value is None else f"{value:.3f}"
