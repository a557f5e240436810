"""The report's printed tables on resampling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.sections import Sheet
from doubletake.page.wording import count, percent, probability, real
from resampling.names import MASS, PLANTED, PROBE, SAMPLED_MASS

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

SCORES = {
    MASS: "mass of backtrack words",
    SAMPLED_MASS: "mass, as sampled",
    PROBE: "matched probe",
    PLANTED: "planted probability",
}


def sheets(data: StudyData) -> list[Sheet]:
    """Stability, prediction, and importance by kind."""
    tables = [_stability(data), _prediction(data), _importance(data)]
    return [sheet for sheet in tables if sheet.rows]


def _stability(data: StudyData) -> Sheet:
    cells = [
        (
            row["kind"],
            count(row["boundaries"]),
            count(row["problems"]),
            *(
                text
                for name in ("rate", "unstable", "differs", "disagree")
                for text in (
                    percent(row[name]),
                    data.between(row, percent, name),
                )
            ),
            percent(row["any"]),
            percent(row["mixed"]),
        )
        for row in data.tables["resampling/summary"].to_dicts()
    ]
    columns = ("boundary", "n", "problems")
    pairs = [
        text
        for name in ("rate of turning", "unstable", "draw differs", "two draws differ")
        for text in (name, "interval")
    ]
    return Sheet(
        "Stability of turns",
        (*columns, *pairs, "any draw differs", "rate between 0 and 1"),
        tuple(cells),
        note="The last two columns grow with the number of draws. "
        f"{data.interval_note}",
    )


def _prediction(data: StudyData) -> Sheet:
    cells = [
        (
            SCORES[row["score"]],
            row["part"],
            count(row["boundaries"]),
            count(row["problems"]),
            real(row["spearman"], 2),
            data.between(row, lambda value: real(value, 2), "spearman"),
            probability(row["p_holm"]),
            real(row["reliability"], 2),
            real(row["corrected"], 2),
            real(row["auroc"], 2),
            data.between(row, lambda value: real(value, 2), "auroc")
            if row["auroc"] is not None
            else real(None),
        )
        for row in data.tables["resampling/prediction"].to_dicts()
    ]
    return Sheet(
        "Prediction of the resampled rate, beside detection of the study\u2019s turns",
        (
            *("score", "boundaries", "n", "problems", "rank correlation", "interval"),
            *("p (Holm)", "reliability", "without noise", "AUROC", "interval"),
        ),
        tuple(cells),
        words=(0, 1),
        note="Within: ranks within each kind of boundary. Reliability: rank "
        "correlation of the rate with that of as many other draws. "
        f"{data.interval_note}",
        folded=True,
    )


def _importance(data: StudyData) -> Sheet:
    cells = [
        (
            row["measure"],
            row["kind"].replace("_", " "),
            count(row["sentences"]),
            count(row["problems"]),
            real(row["value"], 3),
            data.between(row, lambda value: real(value, 3), "value"),
            real(row["size"], 3),
            real(row["difference"], 3),
            probability(row["p_holm"]),
        )
        for row in data.tables["resampling/importance"].to_dicts()
    ]
    return Sheet(
        "Importance of sentences",
        (
            *("measure", "sentences", "n", "problems", "mean", "interval"),
            *("size", "difference", "p (Holm)"),
        ),
        tuple(cells),
        words=(0, 1),
        note="Difference: mean minus that of other sentences (of cause: of sentences "
        "without one); of divergence, difference of sizes. Size: mean square without "
        "the noise of the rollouts, of divergence: beyond chance. "
        f"{data.interval_note}",
        folded=True,
    )
