"""Rows of the table: every claim of a study, by the published recipe and by ours."""

from collections.abc import Mapping
from typing import Any

from reproduction.claim import Claim
from reproduction.published import Entry, References
from reproduction.run import NotMeasured, Run
from reproduction.tables import NOT_MEASURED, RECIPES, REPRODUCTION
from reproduction.verdicts import published_value, verdict_of


def rows_of(
    study: str,
    claims: list[Claim],
    references: References,
    runs: Mapping[str, Run | str],
) -> list[dict[str, Any]]:
    """Rows of `REPRODUCTION` on one study.

    Args:
        study: its name.
        claims: all claims.
        references: what was published.
        runs: the run of each recipe, or why there is none.
    """
    rows = []
    for claim in claims:
        entry = references.entry(claim.entry)
        for recipe in RECIPES:
            row = {"study": study, "recipe": recipe} | _published(claim, entry)
            row |= _measured(claim, entry, runs[recipe])
            rows.append({name: row[name] for name in REPRODUCTION.schema})
    return rows


def _published(claim: Claim, entry: Entry) -> dict[str, Any]:
    """What was published, and when it counts as reproduced."""
    low, high = entry.within or (None, None)
    value = published_value(claim, entry)
    return {
        "part": claim.part,
        "claim": claim.name,
        "quantity": claim.quantity,
        "kind": claim.kind,
        "unit": claim.unit,
        "published": value,
        "published_low": low,
        "published_high": high,
        "stated": entry.stated,
        "source": entry.work.source,
        "published_model": entry.work.model,
        "published_dataset": entry.work.dataset,
        "published_recipe": entry.recipe,
        "rule": claim.rule,
    }


def _measured(claim: Claim, entry: Entry, run: Run | str) -> dict[str, Any]:
    """The number of a run and the verdict on it."""
    nothing = dict.fromkeys(("value", "value_low", "value_high", "cases", "problems"))
    empty = nothing | {"note": "", "table": "", "column": "", "verdict": NOT_MEASURED}
    if isinstance(run, str):
        return empty | {"why": run}
    try:
        found = claim.find(run)
    except NotMeasured as reason:
        return empty | {"why": str(reason)}
    verdict, why = verdict_of(claim, entry, found, run.settings)
    return {
        "value": found.value,
        "value_low": found.low,
        "value_high": found.high,
        "cases": found.cases,
        "problems": found.problems,
        "note": found.note,
        "table": found.table,
        "column": found.column,
        "verdict": verdict,
        "why": why,
    }
