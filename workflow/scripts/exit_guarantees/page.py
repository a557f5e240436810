"""The page's sentences on exit guarantees: what is certified, saved and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.exit_rules.splits import GROUPS
from doubletake.page.reader import is_reader
from doubletake.page.sections import Section
from doubletake.page.wording import listed, percent, plural, significant
from exit_guarantees.page_sheets import (
    PROBE_MISSING,
    all_groups,
    allowed,
    largest,
    name_of,
    promise,
    sheets,
    smallest,
)
from exit_guarantees.tables import CHOSEN_BY_ERROR, PROBLEM

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

LISTED = 4
"""Rules that a sentence names."""
NONE_RIGHT = "no thought ends right, so none can lose its right answer."


def headline(data: StudyData) -> str:
    """What can be promised and saved, and whether other problems keep the promise."""
    rows = all_groups(data.tables["exit_guarantees/risks"])
    if rows.is_empty():
        return "Not checked: no thought has trial points."
    if rows["certified"].count() == 0:
        return "Not checked: no rule was replayed."
    if _none_right(data):
        return f"Not checked: {NONE_RIGHT}"
    given = rows.filter(pl.col("certified") > 0)
    if given.is_empty():
        return f"Nothing can be certified: think to the end. {_too_few(rows)}".strip()
    if given["saves"].count() == 0 and not data.is_enough(_problems(rows)):
        n = plural(_problems(rows), "problem")
        return f"Not checked: what certified rules save ({n})."
    saving = _saving(rows)
    if saving.is_empty():
        text = "No rule with a certificate on all problems is shown to save tokens"
        return f"{text}. {_kept(data)}"
    epsilon = min(saving["epsilon"])
    at = saving.filter(epsilon=epsilon)
    checked = rows.filter(epsilon=epsilon)["certified"].count()
    confidence = allowed(1 - rows["delta"][0])
    return (
        f"If {promise(epsilon)} may lose their right answer (confidence {confidence}), "
        f"{at.height} of {plural(checked, 'rule')} save tokens on other problems with "
        f"a certificate. {_kept(data)}"
    )


def _none_right(data: StudyData) -> bool:
    """Whether no thought has the right answer at its end."""
    return data.tables["exit_guarantees/chosen"]["end_accuracy"].max() == 0


def _problems(rows: pl.DataFrame) -> int:
    return largest(rows["problems"])


def _saving(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows of rules that save tokens and are certified in all groups."""
    return rows.filter(pl.col("saves") & (pl.col("certified") == GROUPS))


def _kept(data: StudyData) -> str:
    """Whether realised risks are shown to be above the allowed ones."""
    tested = all_groups(data.tables["exit_guarantees/risks"]).drop_nulls("p_above")
    level = 1 - data.confidence
    above = tested.filter(pl.col("p_above_corrected") <= level)
    shown = plural(above.height, "pair") if above.height else "none"
    return (
        "A realised risk above the allowed one is shown for "
        f"{shown} of {plural(tested.height, 'certified pair')} of a rule and an "
        "allowed risk."
    )


def findings(data: StudyData) -> list[str]:
    """Certificates by allowed risk, the promise, chosen thresholds, LYNX."""
    rows = all_groups(data.tables["exit_guarantees/risks"])
    if rows["certified"].count() == 0:
        return []
    epsilons = rows["epsilon"].unique().sort().to_list()
    sentences = [_certified(rows.filter(epsilon=epsilon)) for epsilon in epsilons]
    return [
        text
        for text in (
            f"Every certificate is empty: {NONE_RIGHT}" if _none_right(data) else "",
            *sentences,
            _too_few(rows),
            *_promise(data, rows),
            *_chosen(data),
            *_conformal(data),
            _reader(data),
        )
        if text
    ]


def _certified(rows: pl.DataFrame) -> str:
    """What can be certified and saved at one allowed risk; empty if nothing."""
    checked = rows.drop_nulls("certified")
    given = checked.filter(pl.col("certified") == GROUPS)
    if not checked["certified"].sum():
        return ""
    saving = _saving(checked).sort("total_rate")
    text = (
        f"{promise(rows['epsilon'][0]).capitalize()}: {given.height} of "
        f"{plural(checked.height, 'rule')} are certified in all three groups"
    )
    if saving.is_empty():
        return f"{text}; none of them is shown to save tokens."
    names = [
        f"{name_of(row['rule'])} {percent(1 - row['total_rate'])} (interval "
        f"{percent(1 - row['total_rate_high'])} to {percent(1 - row['total_rate_low'])}"
        f", realised risk {percent(row['risk'])})"
        for row in saving.head(LISTED).to_dicts()
    ]
    most = "; most of all" if saving.height > LISTED else ":"
    return f"{text}, and {saving.height} save tokens{most} {listed(names)}."


def _too_few(rows: pl.DataFrame) -> str:
    """Which allowed risks need more calibration problems than there are."""
    short = rows.filter(pl.col("calibration_problems") < pl.col("least_problems"))
    needed = dict(short.select("epsilon", "least_problems").unique().iter_rows())
    if not needed:
        return ""
    parts = [f"{needed[epsilon]} for {allowed(epsilon)}" for epsilon in sorted(needed)]
    have = smallest(short["calibration_problems"])
    return (
        f"Too few calibration problems: {have} in the smallest group, and a "
        "certificate, even if none of them loses its right answer, needs at least "
        f"{listed(parts)}. There the thought goes on to its end."
    )


def _promise(data: StudyData, rows: pl.DataFrame) -> list[str]:
    """Whether the promise is kept, and what may break it."""
    tested = rows.drop_nulls("p_above")
    if tested.is_empty():
        return []
    higher = tested.filter(pl.col("risk") > pl.col("epsilon"))
    worst = tested.sort("p_above", "rule").row(0, named=True)
    calibrations = data.tables["exit_guarantees/risks"].filter(
        pl.col("group").is_not_null(),
        pl.col("calibration_problems") >= pl.col("least_problems"),
    )
    delta = tested["delta"][0]
    return [
        f"{_kept(data)} (Exact one-sided binomial tests of the problems that did not "
        f"choose the threshold; p corrected for {plural(tested.height, 'test')}; "
        f"smallest corrected p: {significant(worst['p_above_corrected'])}, "
        f"{name_of(worst['rule'])} at {allowed(worst['epsilon'])}: {worst['losses']} "
        f"of {plural(worst['promised'], 'problem')} lose.) As a mere "
        f"number, the realised share is above the allowed one in "
        f"{plural(higher.height, 'pair') if higher.height else 'none'}.",
        "Each calibration certifies a larger risk than allowed with a probability of "
        f"at most {allowed(delta)}. Of {plural(calibrations.height, 'calibration')}, "
        f"up to {calibrations.height * delta:.1f} may do so on average. The groups are "
        "drawn from the same problems. On other questions, or with another model, a "
        "certificate promises nothing.",
    ]


def _chosen(data: StudyData) -> list[str]:
    """What thresholds of one standard error save and lose."""
    rows = data.tables["exit_guarantees/chosen"].filter(choice=CHOSEN_BY_ERROR)
    rows = rows.drop_nulls("thoughts")
    if rows.is_empty():
        return []
    if rows["accuracy_low"].count() == 0:
        n = plural(largest(rows["problems"]), "problem")
        return [f"Thresholds chosen by one standard error are not checked: {n}."]
    saving = rows.filter(pl.col("saves"))
    losing = rows.filter(pl.col("loses"))
    text = (
        f"Thresholds chosen on other problems by one standard error save tokens for "
        f"{saving.height} of {plural(rows.height, 'rule')}, and a loss of accuracy "
        f"against the full thoughts is shown for {losing.height} (intervals over "
        f"problems, corrected for {plural(rows.height, 'rule')})"
    )
    if saving.is_empty():
        return [f"{text}."]
    worst = saving.sort("risk_high", descending=True).row(0, named=True)
    return [
        f"{text}. A loss that is not shown is no guarantee: of the rules that save, "
        f"{name_of(worst['rule'])} turns {worst['harmed']} of "
        f"{plural(worst['thoughts'], 'thought')} from right to wrong, and the interval "
        f"reaches up to {percent(worst['risk_high'])}."
    ]


def _conformal(data: StudyData) -> list[str]:
    """How often the conformal exit stops at a wrong point."""
    table = data.tables["exit_guarantees/conformal"]
    if table.is_empty():
        return [PROBE_MISSING]
    rows = all_groups(table).filter(case=PROBLEM)
    tested = rows.drop_nulls("p_above")
    if tested.is_empty():
        return ["LYNX: nothing can be certified: too few wrong calibration cases."]
    above = tested.filter(pl.col("p_above_corrected") <= 1 - data.confidence)
    parts = [
        f"{row['stopped_wrong']} of {row['with_wrong']} at {allowed(row['delta'])}"
        for row in tested.sort("delta").to_dicts()
    ]
    return [
        "LYNX with whole problems as cases: of the problems with a wrong point, the "
        f"rule stops at one in {listed(parts)} allowed. More than allowed is shown for "
        f"{above.height} of {plural(tested.height, 'allowed share')} (beta-binomial "
        "tests of each group, p corrected for groups and shares). The bound holds on "
        "average over calibrations, not for each of them."
    ]


def _reader(data: StudyData) -> str:
    """What a certificate means for thoughts of another model."""
    if not is_reader(data):
        return ""
    return (
        f"Exits are answered by {data.model}, and the ends by whoever wrote the "
        "thoughts. A certificate here holds for this pair: it counts as lost what the "
        "reader does not answer as the writer did."
    )


def risk_cases(data: StudyData) -> str:
    """Number of problems behind the figure of risks."""
    rows = all_groups(data.tables["exit_guarantees/risks"]).drop_nulls("problems")
    if rows.is_empty():
        return "No problem."
    n = plural(_problems(rows), "problem")
    least = smallest(rows["calibration_problems"])
    return (
        f"{n}, one thought of each; at least {least} of them calibrate for each group. "
        f"{data.interval_note}"
    )


def chosen_cases(data: StudyData) -> str:
    """Number of thoughts behind the figure of chosen thresholds."""
    rows = data.tables["exit_guarantees/chosen"].drop_nulls("thoughts")
    if rows.is_empty():
        return "No thought."
    n = plural(largest(rows["thoughts"]), "thought")
    on = plural(largest(rows["problems"]), "problem")
    return f"{n} on {on}. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"risk": risk_cases, "chosen": chosen_cases},
)
