"""Section of the page: how many pairs there are, what was dropped, the balance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import NOTHING, count, listed, plural, real
from doubletake.stats.contrasts import CONTRASTS, Contrast
from matches.balance import BALANCED

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

COVARIATES = {
    "since_arrival": "tokens since the last arrival",
    "arrivals_before": "arrivals before",
    "depth": "tokens of the thought so far",
    "position": "token position",
    "line_start": "starts a line",
    "token_class": "kind of the token before",
}


COLUMNS = (
    "contrast",
    "covariate",
    "first, before",
    "second, before",
    "difference before",
    "first, in the pairs",
    "second, in the pairs",
    "difference in the pairs",
)


def pairs_of(data: StudyData, contrast: Contrast) -> pl.DataFrame:
    """First members of the pairs of a contrast."""
    return data.tables["matches"].filter(contrast=contrast.name, label=True)


def headline(data: StudyData) -> str:
    """How many backtracks have a matched control, and how alike the pairs are."""
    contrast = CONTRASTS[0]
    pairs, events = pairs_of(data, contrast), _events(data, contrast)
    if not pairs.height:
        return f"Not checked: {_nothing(contrast, events)}."
    before, after = (_largest(data, contrast, when) for when in ("before", "after"))
    return (
        f"{count(pairs.height)} of {plural(events, 'backtrack')} have a matched "
        f"control, on {plural(pairs['problem'].n_unique(), 'problem')}. The largest "
        f"difference of place in these pairs is {after} standard deviations; between "
        f"all backtracks and all controls it is {before}."
    )


def _events(data: StudyData, contrast: Contrast) -> int:
    """Number of events of the first class, with and without a partner."""
    dropped = data.tables["matches/dropped"].filter(contrast=contrast.name)
    return pairs_of(data, contrast).height + int(dropped["events"].sum())


def _nothing(contrast: Contrast, events: int) -> str:
    if not events:
        return f"there is no {contrast.positive}"
    return f"none of {plural(events, contrast.positive)} has a matched partner"


def _largest(data: StudyData, contrast: Contrast, when: str) -> str:
    """Size of the largest standardised difference, in words."""
    rows = data.tables["matches/balance"].filter(contrast=contrast.name)
    largest = rows[f"difference_{when}"].abs().max()
    return NOTHING if largest is None else real(float(largest), 2)  # type: ignore[arg-type]


def findings(data: StudyData) -> list[str]:
    """Pairs and dropped events of every contrast, and where they are not balanced."""
    return [
        *(_contrast_sentence(data, contrast) for contrast in CONTRASTS),
        _rules(data.settings["matches"]),
    ]


def _rules(calipers: dict[str, Any]) -> str:
    """How alike two partners are."""
    arrivals = (
        f"at most {plural(calipers['arrivals'], 'arrival')} more or less before"
        if calipers["arrivals"]
        else "the same number of arrivals before"
    )
    return (
        "Partners agree in line start and in the kind of the token before. They have "
        f"{arrivals}, and differ at most by a factor {calipers['since_arrival']:g} in "
        f"the tokens since the last arrival and by a factor {calipers['depth']:g} in "
        "the tokens of the thought so far. A partner may be of another problem. "
        "Probes use all pairs. Attention, attribution and the logit lens use the "
        "controls of the selected backtracks."
    )


def _contrast_sentence(data: StudyData, contrast: Contrast) -> str:
    """How many pairs a contrast has, what was dropped and why, and the balance."""
    name, events = contrast.description.capitalize(), _events(data, contrast)
    pairs = pairs_of(data, contrast).height
    dropped = data.tables["matches/dropped"].filter(
        pl.col("events") > 0, contrast=contrast.name
    )
    reasons = [
        f"{count(n)}: {reason}"
        for reason, n in dropped.select("reason", "events").iter_rows()
    ]
    lost = (
        f" {count(events - pairs)} of {plural(events, contrast.positive)} dropped "
        f"({'; '.join(reasons)})."
        if reasons
        else ""
    )
    if not pairs:
        return f"{name}: not checked, {_nothing(contrast, events)}.{lost}"
    alike = f"{plural(pairs, 'pair')}, {count(_of_one_problem(data, contrast))} of them"
    return f"{name}: {alike} of one problem.{lost} {_verdict(data, contrast)}"


def _of_one_problem(data: StudyData, contrast: Contrast) -> int:
    """Number of pairs whose members belong to one problem."""
    members = data.tables["matches"].filter(contrast=contrast.name)
    problems = members.group_by("pair").agg(pl.col("problem").n_unique())
    return problems.filter(problem=1).height


def _verdict(data: StudyData, contrast: Contrast) -> str:
    """In which covariates the pairs still differ."""
    rows = data.tables["matches/balance"].filter(contrast=contrast.name)
    apart = rows.filter(pl.col("difference_after").abs() >= BALANCED)
    if apart.is_empty():
        return f"Every difference of place is below {BALANCED} standard deviations."
    names = [
        f"{COVARIATES[name]} ({real(value, 2)} standard deviations)"
        for name, value in apart.select("covariate", "difference_after").iter_rows()
    ]
    return f"The pairs still differ in {listed(names)}."


def sheets(data: StudyData) -> list[Sheet]:
    """Means and standardised differences of every covariate."""
    balance = data.tables["matches/balance"]
    rows = []
    for contrast in CONTRASTS:
        part = balance.filter(contrast=contrast.name)
        for number, row in enumerate(part.iter_rows(named=True)):
            label = contrast.description if number == 0 else ""
            cells = (
                _number(row[f"{name}_{when}"])
                for when in ("before", "after")
                for name in ("first", "second", "difference")
            )
            rows.append((label, COVARIATES[row["covariate"]], *cells))
    note = (
        "Before: means of all events that could be members of a pair. In the pairs: "
        "means of the members. Difference: first minus second class, in standard "
        "deviations before matching. For the kind of the token before, the kind of "
        "largest difference."
    )
    title = "Covariates before and after matching"
    return [Sheet(title, COLUMNS, tuple(rows), (0, 1), note, folded=True)]


def _number(value: float | None) -> str:
    return NOTHING if value is None else real(value, 2)


def cases(data: StudyData) -> str:
    """Number of events and pairs of each contrast."""
    rows = data.tables["matches/balance"].unique("contrast", maintain_order=True)
    counts = {row["contrast"]: row for row in rows.iter_rows(named=True)}
    parts = [
        f"{contrast.description}: {count(row['first'])} against "
        f"{count(row['second'])} events, {plural(row['pairs'], 'pair')}"
        for contrast in CONTRASTS
        if (row := counts.get(contrast.name))
    ]
    return f"{'; '.join(parts) or 'No event'}."


SECTION = Section(
    headline=headline, findings=findings, sheets=sheets, cases={"balance": cases}
)
