"""The report's sentences on all methods at the same events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section
from doubletake.page.wording import count, plural, real
from loop.methods import BY_COLUMN, EXPECTED
from loop.page_causes import causes_sentences
from loop.page_events import NAMED, answers, effects, holds, planted
from loop.page_sheets import sheets

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_empty(data: StudyData) -> str | None:
    """Why nothing is compared; None where something is."""
    loop = data.tables["loop"]
    if loop.is_empty():
        return "Not measured: the study has no selected backtrack."
    if tested(data).is_empty():
        n = plural(loop["problem"].n_unique(), "problem")
        return (
            f"Not checked: the {plural(loop.height, 'backtrack')} of the study lie on "
            f"{n}, too few for a test of any pair of methods."
        )
    return None


def tested(data: StudyData) -> pl.DataFrame:
    """The tested pairs of methods, the strongest first."""
    rows = data.tables["loop/correlations"].drop_nulls("p_holm")
    return rows.sort(pl.col("rho").abs(), descending=True, maintain_order=True)


def headline(data: StudyData) -> str:
    """How many pairs of methods agree, and which agree most."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    pairs = tested(data)
    agree = pairs.filter(holds(data))
    of = plural(pairs.height, "pair")
    base = f"at {plural(data.tables['loop'].height, 'backtrack')}"
    if agree.is_empty():
        return (
            f"None of {of} of methods from different families is shown to agree or to "
            f"disagree {base}."
        )
    first = agree.row(0, named=True)
    return (
        f"Of {of} of methods from different families, {count(agree.height)} "
        f"{'is' if agree.height == 1 else 'are'} related beyond chance {base}; the "
        f"strongest pair is {pair_text(data, first)}."
    )


def pair_text(data: StudyData, row: dict[str, Any]) -> str:
    """Two methods with their correlation."""
    first, second = (BY_COLUMN[row[side]].phrase for side in ("first", "second"))
    interval = f"{real(row['rho_low'], 2)} to {real(row['rho_high'], 2)}"
    numbers = (
        f"\u03c1 {real(row['rho'], 2)}, {data.confidence:.0%} interval {interval}, "
        f"{plural(row['n'], 'backtrack')}"
    )
    return f"{first} with {second} ({numbers})"


def findings(data: StudyData) -> list[str]:
    """Pairs that agree, expected pairs, interventions, answers, planted causes."""
    if why_empty(data) is not None:
        return causes_sentences(data)
    pairs = tested(data)
    above = pairs.filter(holds(data), pl.col("rho") > 0)
    below = pairs.filter(holds(data), pl.col("rho") < 0)
    return [
        *_pairs(data, above, "put the backtracks in a similar order"),
        *_pairs(data, below, "put them in opposite orders"),
        *_expected(data),
        *effects(data),
        *answers(data),
        *planted(data),
        *causes_sentences(data),
    ]


def _pairs(data: StudyData, rows: pl.DataFrame, what: str) -> list[str]:
    if rows.is_empty():
        return []
    texts = [pair_text(data, row) for row in rows.head(NAMED).to_dicts()]
    more = rows.height - len(texts)
    rest = f", and {count(more)} more" if more > 0 else ""
    verb = "pair" if rows.height == 1 else "pairs"
    return [
        f"{count(rows.height)} {verb} of methods {what}: {'; '.join(texts)}{rest} "
        "(corrected for all tests of the figure, Holm)."
    ]


def _expected(data: StudyData) -> list[str]:
    """Pairs that one would expect to agree, and that are not shown to."""
    table = data.tables["loop/correlations"]
    apart, unchecked = [], []
    for first, second in EXPECTED:
        row = table.filter(first=first, second=second).row(0, named=True)
        name = f"{BY_COLUMN[first].phrase} and {BY_COLUMN[second].phrase}"
        if row["p_holm"] is None:
            unchecked.append(f"{name} ({plural(row['problems'], 'problem')})")
        elif row["p_holm"] > 1 - data.confidence or row["rho"] < 0:
            apart.append(f"{name} (\u03c1 {real(row['rho'], 2)}, {count(row['n'])})")
    sentences = []
    if apart:
        sentences.append(
            f"One would expect these pairs to agree, but it is not shown: "
            f"{'; '.join(apart)}. The second number counts the backtracks."
        )
    if unchecked:
        sentences.append(f"Not checked: {'; '.join(unchecked)}.")
    return sentences


def agreement_cases(data: StudyData) -> str:
    """Number of backtracks and problems behind the matrix."""
    loop = data.tables["loop"]
    n = plural(loop["problem"].n_unique(), "problem")
    test = loop.filter(part="test").height
    return (
        f"{plural(loop.height, 'backtrack')} on {n}. Interventions are made at "
        f"{count(test)} of them, on problems that gave no direction and no set. "
        f"{data.interval_note}"
    )


def causes_cases(data: StudyData) -> str:
    """Number of backtracks with a planted cause, and of those that are left out."""
    rows = data.tables["loop/causes"].filter(cause="all", ranking="max_abs")
    if rows.is_empty():
        return "No backtrack with a planted cause was scored."
    row = rows.row(0, named=True)
    caused = data.tables["loop"].filter("has_cause").height
    left = caused - row["n"]
    why = (
        f" {plural(left, 'further backtrack')} with a cause "
        f"{'was' if left == 1 else 'were'} not scored."
        if left
        else ""
    )
    n = plural(row["problems"], "problem")
    return f"{plural(row['n'], 'backtrack')} on {n}.{why} {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"agreement": agreement_cases, "causes": causes_cases},
)
