"""The report's sentences on texts that are decoded with ablations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ablation.targets import LONG, NAMED, NONE, SHORT
from ablation.wording import in_words
from doubletake.page.wording import percent, plural, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def coherence(data: StudyData, rows: list[dict[str, Any]]) -> list[str]:
    """Whether the language stays whole with ablations that lower turning back.

    Args:
        data: the study.
        rows: of `ablation/effects`, those that lower it.
    """
    plain, decoded = rates_of(data, SHORT)
    by_name = {row["ablation"]: row for row in decoded}
    sentences = []
    for row in rows:
        text = by_name.get(row["ablation"])
        if text is None:
            continue
        low, high = text["logprob_change_low"], text["logprob_change_high"]
        if high is None:
            says = "whether the text suffers is not checked"
        elif high < 0:
            says = (
                "the plain model finds the text less likely, so more than turning back "
                "is taken away"
            )
        elif low > 0:
            says = "the plain model finds the text more likely"
        else:
            says = "it is not told whether the plain model finds the text less likely"
        sentences.append(
            f"With {in_words(row)}, {says}: mean log-prob "
            f"{real(text['logprob'], 2)} against {real(plain['logprob'], 2)} nats "
            f"(change {real(text['logprob_change'], 2)}, interval "
            f"{data.between(text, lambda x: real(x, 2), 'logprob_change')})."
        )
    return sentences


def rates_of(
    data: StudyData, length: str
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row without an ablation, and the rows of ablations; empty where none is."""
    rows = data.tables["ablation/rates"].filter(length=length, null=NAMED).to_dicts()
    plain = next((row for row in rows if row["ablation"] == NONE), {})
    return plain, [row for row in rows if row["ablation"] != NONE]


def _named(data: StudyData, ablation: str) -> str:
    effects = data.tables["ablation/effects"].filter(ablation=ablation)
    return in_words(effects.row(0, named=True))


def continuations(data: StudyData) -> list[str]:
    """How often sampled continuations turn back, and how likely their text is."""
    plain, rows = rates_of(data, SHORT)
    if not rows:
        return [
            "Nothing was decoded, so rates, coherence and accuracy are not checked."
        ]
    parts = [
        f"{_named(data, row['ablation'])} {percent(row['turns'], 0)} (log-prob "
        f"{real(row['logprob'], 2)})"
        for row in rows
    ]
    tokens = data.settings["ablation"]["tokens"]
    return [
        f"Of {plural(plain['n'], 'continuation')} of {tokens} tokens, "
        f"{percent(plain['turns'], 0)} turn back without an ablation (mean log-prob "
        f"{real(plain['logprob'], 2)} nats); with {'; with '.join(parts)}. The "
        "ablation acts at every token from the arrival on. A low log-prob under the "
        "plain model says that the text breaks, and then a rate says little."
    ]


def thoughts(data: StudyData) -> list[str]:
    """Whole thoughts: backtracks, accuracy, length, thoughts without an end."""
    plain, rows = rates_of(data, LONG)
    if not rows:
        return []
    if not data.is_enough(plain["problems"]):
        return [
            f"Whole thoughts are not checked: {plural(plain['problems'], 'problem')}."
        ]
    parts = [
        f"{_named(data, row['ablation'])} {real(row['turns'], 2)} "
        f"({percent(row['accuracy'], 0)} right, {row['unclosed']} without an end)"
        for row in rows
    ]
    return [
        f"Whole thoughts ({plural(plain['n'], 'thought')}, the ablation at every "
        f"token): {real(plain['turns'], 2)} backtracks per 100 tokens without an "
        f"ablation ({percent(plain['accuracy'], 0)} right, {plain['unclosed']} without "
        f"an end); with {'; with '.join(parts)}. Random sets were not tried on whole "
        "thoughts, so a change of accuracy or length may be that of any such set."
    ]
