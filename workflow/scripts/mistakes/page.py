"""The report's sentences on mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.reader import is_reader
from doubletake.page.sections import Section
from doubletake.page.wording import listed, percent, plural, points, probability
from mistakes import names
from mistakes.page_sheets import sheets
from mistakes.planted_claims import planted_findings, planted_headline
from mistakes.verdicts import (
    DONE,
    RIGHT,
    Row,
    cases,
    cost,
    is_shown,
    rate,
    restating,
    tested_rows,
    verdict,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def why_empty(data: StudyData) -> str | None:
    """Why no mistake was inserted; None where one was."""
    if not data.tables["mistakes"].is_empty():
        return None
    if is_reader(data):
        return "Not measured: the thoughts come from a file and cannot be continued."
    return (
        "Not measured: no thought of the study has a true equation before its first "
        "backtrack, a right final answer or a false equation that could be changed."
    )


def headline(data: StudyData) -> str:
    """After which mistakes the next sentence turns back more often than without."""
    reason = why_empty(data)
    if reason is not None:
        return reason
    rows = tested_rows(data)
    checked = [row for row in rows if row["turned_over_base_holm"] is not None]
    if not checked:
        return "Not checked: no kind of mistake was made in enough problems."
    more = [
        row
        for row in checked
        if is_shown(data, row, "turned_over_base") and row["turned_over_base"] > 0
    ]
    others = [row for row in checked if row not in more]
    parts = []
    if more:
        parts.append(
            "the next sentence turns back more often than without a mistake after "
            f"{listed([_rates(row) for row in more])}"
        )
    if others:
        what = "this is" if more else "more turns back than without a mistake are"
        parts.append(f"{what} not shown for {listed([_rates(row) for row in others])}")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}.{planted_headline(data)}"


def _rates(row: Row) -> str:
    """A kind: turns back and right statements, each beside its baseline."""
    return (
        f"{DONE[row['kind']]} ({percent(row['turned'])} turn back, without it "
        f"{percent(row['turned_base'])}; {percent(row['restated'])} state "
        f"{RIGHT[row['kind']]} again, without it {percent(row['restated_base'])})"
    )


def findings(data: StudyData) -> list[str]:
    """Every tested kind, other versions, planted probabilities, what is not there."""
    if why_empty(data) is not None:
        return []
    return [
        *(_kind(data, row) for row in tested_rows(data)),
        *_turning_mends(data),
        *_lengths(data),
        *_versions(data),
        *planted_findings(data),
        *_absent(data),
        _design(data),
    ]


def _kind(data: StudyData, row: Row) -> str:
    """A kind of mistake at the place where it is tested."""
    names_of = ["turned_over_base"]
    if row["kind"] != names.OWN:
        names_of += ["turned_over_paraphrase", "turned_over_filler"]
    checks = "; ".join(verdict(data, row, name) for name in names_of)
    what = DONE[row["kind"]]
    return (
        f"{what[0].upper()}{what[1:]} ({cases(row)}{_where(row)}): the next sentence "
        f"turns back in {rate(data, row, 'turned')} of the draws: {checks}. "
        f"{restating(data, row)}. {cost(data, row)}."
    )


def _where(row: Row) -> str:
    """The place of a test that has no fixed place."""
    return f", at the place {row['place']}" if row["kind"] == names.UNIT else ""


def _turning_mends(data: StudyData) -> list[str]:
    """Whether draws that turn back correct more often: a description."""
    parts = [
        f"{DONE[row['kind']]} {percent(row['after_turn'])} beside "
        f"{percent(row['without_turn'])}"
        for row in tested_rows(data)
        if row["after_turn"] is not None and row["without_turn"] is not None
    ]
    if not parts:
        return []
    return [
        "Draws that turn back after the change and state the right equation, number or "
        "unit again or (but for copied numbers and units) end right, beside draws that "
        f"do not turn: {'; '.join(parts)}. It describes draws that chose to turn."
    ]


def _lengths(data: StudyData) -> list[str]:
    """Tokens over those of the baseline."""
    parts = [
        f"{DONE[row['kind']]} {percent(row['inflation'], 0)} (interval "
        f"{data.between(row, _whole, 'inflation')})"
        for row in tested_rows(data)
        if row["inflation"] is not None
    ]
    return [f"New tokens over those of the baseline: {'; '.join(parts)}."] * bool(parts)


def _whole(share: float) -> str:
    return percent(share, 0)


def _versions(data: StudyData) -> list[str]:
    """The mistake as the user's text, and with a word after it."""
    rows = {
        row["contrast"]: row for row in data.tables["mistakes/contrasts"].to_dicts()
    }
    found = []
    if names.EXTERNAL in rows:
        row = rows[names.EXTERNAL]
        found.append(
            "After the same wrong result, the right equation comes or the thought ends "
            f"right in {rate(data, row, 'own')} of the draws in the model\u2019s own "
            f"thought and in {rate(data, row, 'other')} as the user\u2019s text "
            f"({plural(row['problems'], 'problem')}). The user\u2019s text also lets "
            "the thought begin anew, so its rate is an upper end, and no blind spot "
            "for own mistakes is shown."
        )
    if names.WAIT in rows:
        row = rows[names.WAIT]
        word = data.settings["mistakes"]["word"]
        found.append(
            f"With \u201c{word}\u201d after the wrong result, the right equation comes "
            f"or the thought ends right in {rate(data, row, 'other')} of the draws, "
            f"without it in {rate(data, row, 'own')}: "
            f"{_contrast(data, row, 'the word helps')}."
        )
    return found


def _shown(data: StudyData, row: Row) -> bool:
    return is_shown(data, row, "difference")


def _contrast(data: StudyData, row: Row, claim: str) -> str:
    """What the test of a contrast says."""
    if row["difference_holm"] is None:
        return f"not checked ({plural(row['problems'], 'problem')})"
    by = (
        f"{points(row['difference'])} points, interval "
        f"{data.between(row, points, 'difference')}, corrected p "
        f"{probability(row['difference_holm'])}"
    )
    if not _shown(data, row):
        return f"no difference is shown ({by})"
    return f"{claim} ({by})" if row["difference"] > 0 else f"the opposite ({by})"


def _absent(data: StudyData) -> list[str]:
    """Kinds and places that the config asks for and the study does not have."""
    s = data.settings["mistakes"]
    table = data.tables["mistakes"]
    made = {(row["kind"], row["place"]) for row in table.to_dicts()}
    kinds = {kind for kind, _ in made}
    found = [
        f"Not measured: {what}."
        for kind, what in WHY_ABSENT.items()
        if kind in s["kinds"] and kind not in kinds
    ]
    found += [
        f"Not tested: {DONE[kind]}; the study has it, but not at the place "
        f"{listed(list(where))}."
        for kind, where in names.TESTED.items()
        if kind in kinds and not any((kind, place) in made for place in where)
    ]
    places = [one for one in s["places"] if one not in set(table["place"])]
    if places:
        found.append(
            f"Not measured: changes at the place {listed(places)}; no right thought "
            "has such a sentence."
        )
    return found


WHY_ABSENT = {
    names.PARAPHRASE: "the paraphrase; no sentence has other words for its statement",
    names.RESULT: "wrong results; no right thought has an equation before it turns",
    names.OPPOSITE: "the opposite operation; no such sum or difference is written",
    names.OPERAND: "copied numbers; no equation holds a number of the question",
    names.ANSWER: "wrong final answers; no right thought ends in an arrival of its own",
    names.UNIT: "units; no changed sentence has a number with a noun of the questions",
    names.WAIT: "the appended word; no result was changed at the last step",
    names.EXTERNAL: "the mistake as the user\u2019s text; the chat template does not "
    "take it, or no result was changed at the last step",
    names.OWN: "own slips; no thought has a false equation before its first backtrack",
}


def _design(data: StudyData) -> str:
    """How many edits there are, and whether they are where they must be."""
    edits = data.tables["mistakes/edits"]
    checks = data.tables["mistakes/verification"].filter(unit="edits")
    broken = int(checks["value"].fill_null(0).sum())
    whole = edits.join(
        data.tables["mistakes"].select("trace").unique(), on="trace", how="semi"
    )
    thoughts = plural(edits["trace"].n_unique(), "thought")
    text = (
        f"{plural(edits.height, 'change')} of {thoughts}"
        f", {plural(whole['trace'].n_unique(), 'thought')} of them continued to the end"
    )
    if broken:
        checked = plural(broken, "check")
        return f"{text}. Failed: {checked} of characters and tokens."
    return (
        f"{text}. All change exactly the named characters, and all other tokens are "
        "the study\u2019s own."
    )


def noticed_cases(data: StudyData) -> str:
    """Number of thoughts behind the figure of noticed mistakes."""
    table = data.tables["mistakes"]
    n = plural(table["trace"].n_unique(), "thought")
    return (
        f"{n} on {plural(table['problem'].n_unique(), 'problem')}, "
        f"{plural(table.height, 'draw')}. {data.interval_note}"
    )


def versions_cases(data: StudyData) -> str:
    """Number of pairs behind the figure of the versions of a mistake."""
    parts = [
        f"{row['contrast']}: {plural(row['draws'], 'pair')} on "
        f"{plural(row['problems'], 'problem')}"
        for row in data.tables["mistakes/contrasts"].to_dicts()
    ]
    return f"{'; '.join(parts) or 'No pair'}. {data.interval_note}"


def planted_cases(data: StudyData) -> str:
    """Number of boundaries behind the figure of planted probabilities."""
    rows = data.tables["mistakes/boundaries"].filter(pl.col("place") != names.FINAL)
    n = plural(rows.height, "draw")
    return (
        f"{n} on {plural(rows['problem'].n_unique(), 'problem')}. {data.interval_note}"
    )


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "noticed": noticed_cases,
        "versions": versions_cases,
        "planted": planted_cases,
    },
)
