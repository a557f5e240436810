"""The report's sentences and tables on injection at one token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.sections import Section
from doubletake.page.wording import listed, percent, plural, real, significant
from injection.page_sheets import divergence_sheet, free_sheets, tests_sheet
from injection.tables import (
    ALWAYS,
    ARRIVAL,
    NO_PREMISE,
    NOT_CHECKED,
    ONCE,
    OPEN,
    PROMPT_END,
    RANDOM,
    REFUTED,
    SUPPORTED,
)

if TYPE_CHECKING:
    from doubletake.page.sections import Sheet
    from doubletake.page.study_data import StudyData

NO_CONTEXT = (
    "Not checked: there is no direction toward turning back, or no thought of a test "
    "problem has an arrival that enough tokens follow."
)
CLAIM = (
    "the published presumption, that a vector added once moves only the first token "
    "because the token gets too little attention,"
)
LEVEL = 0.05
"""P-values of at most this are counted."""


def headline(data: StudyData) -> str:
    """The verdicts at arrivals, counted."""
    tests = data.tables["injection/tests"].filter(place=ARRIVAL)
    if tests.is_empty():
        return NO_CONTEXT
    checked = tests.filter(pl.col("verdict") != NOT_CHECKED)
    if checked.is_empty():
        problems = plural(max(tests["problems"].to_list()), "problem")
        return f"Not checked: {problems} are too few for an interval."
    return f"At arrivals {CLAIM} is {_verdicts(tests)}."


def _verdicts(tests: pl.DataFrame) -> str:
    """Verdicts in words, each with the number of its settings."""
    factor = f"{max(tests['factor'].to_list()):g}"
    words = {
        SUPPORTED: "supported in {} (most of the change falls on the first token, and "
        f"later with {factor} times the odds of attention)",
        REFUTED: "refuted in {} (most of the change falls on the first token, also "
        f"with {factor} times the odds of attention)",
        NO_PREMISE: "without its premise in {} (most of the change falls on later "
        "tokens)",
        OPEN: "not told in {}",
        NOT_CHECKED: "not checked in {}",
    }
    counts = dict(tests["verdict"].value_counts().iter_rows())
    total = plural(tests.height, "setting")
    parts: list[str] = []
    for verdict, text in words.items():
        if verdict in counts:
            n = f"{counts[verdict]}" if parts else f"{counts[verdict]} of {total}"
            parts.append(text.format(n))
    return listed(parts)


def findings(data: StudyData) -> list[str]:
    """Divergences, attention, random vectors, and the end of the prompt."""
    tests = data.tables["injection/tests"]
    at_arrivals = tests.filter(place=ARRIVAL)
    if at_arrivals.is_empty():
        return []
    return [
        *_decays(data),
        _boosted(data, at_arrivals),
        _attention(data, at_arrivals),
        *_random(at_arrivals),
        *_prompt_end(tests),
        *_free(data),
    ]


def _decays(data: StudyData) -> list[str]:
    """Of the first direction at each depth: first token, rest, half-life, always."""
    table = data.tables["injection/summary"].filter(
        place=ARRIVAL, strength=_strength(data), factor=1.0
    )
    named = table.filter(pl.col("direction") != RANDOM)
    if named.is_empty():
        return []
    name = named["direction"][0]
    sentences = []
    for depth in named["depth"].unique().sort():
        by_mode = {
            row["mode"]: row
            for row in named.filter(direction=name, depth=depth).to_dicts()
        }
        once, always = by_mode[ONCE], by_mode[ALWAYS]
        sentences.append(
            f"Direction {name} at {percent(depth, 0)} of the depth, added once at the "
            f"last token of {plural(once['n'], 'arrival')}: the distribution of the "
            f"first token moves by {significant(once['first'])} nats, all "
            f"{data.settings['injection']['distance']} later ones together by "
            f"{significant(once['rest'])} nats, so {percent(once['share'])} of the "
            f"change falls on the first token ({data.confidence:.0%} interval "
            f"{data.between(once, percent, 'share')}). {_half_life(data, once)} Added "
            f"at every token, later ones move by {significant(always['rest'])} nats."
        )
    return sentences


def _half_life(data: StudyData, row: dict[str, Any]) -> str:
    if row["half_life"] is None:
        return "The change does not fall to half within these tokens."
    text = f"Its half-life is {real(row['half_life'], 2)} tokens"
    if row["half_life"] < 1:
        text = f"The next token moves by less than half of that: {text.lower()}"
    if row["half_life_low"] is None:
        return f"{text}."
    return f"{text} (interval {data.between(row, lambda x: real(x, 2), 'half_life')})."


def _strength(data: StudyData) -> float:
    return float(data.settings["injection"]["tested_strength"])


def _boosted(data: StudyData, tests: pl.DataFrame) -> str:
    shares = (tests[name].drop_nulls() for name in ("share", "boosted_share"))
    plain, boosted = (_range(column) for column in shares)
    strength, factor = f"{_strength(data):g}", f"{max(tests['factor'].to_list()):g}"
    return (
        f"At strength {strength}, over {plural(tests.height, 'setting')} (direction "
        f"and depth), the first token has {plain} of the change as the model attends, "
        f"and {boosted} with {factor} times the odds of "
        "attention to the injected token."
    )


def _range(values: pl.Series) -> str:
    if values.is_empty():
        return "no share"
    low, high = (percent(end(values.to_list())) for end in (min, max))
    return low if low == high else f"{low} to {high}"


def _attention(data: StudyData, tests: pl.DataFrame) -> str:
    """In how many settings the token gets less or more attention than unsteered."""
    rows = data.tables["injection/attended"].filter(
        pl.col("layer").is_null() & pl.col("distance").is_null(),
        pl.col("place") == ARRIVAL,
    )
    return (
        "Beside the same token unsteered, the attention to the injected token is "
        f"{_sides(tests, 'difference')} (mean over later tokens and over layers from "
        "the injection on, corrected interval of the difference against 0): "
        f"{_range(rows['injected'])} of the attention, unsteered "
        f"{_range(rows['unsteered'])}."
    )


def _sides(rows: pl.DataFrame, name: str) -> str:
    """In how many settings an interval lies on one side of 0: "lower in 3 of 8 ..."."""
    low, high = pl.col(f"{name}_low"), pl.col(f"{name}_high")
    counts = {
        "lower": rows.filter(high < 0).height,
        "higher": rows.filter(low > 0).height,
        "not told apart": rows.filter((low <= 0) & (high >= 0)).height,
        "without an interval": rows.filter(low.is_null()).height,
    }
    parts = [f"{word} in {n}" for word, n in counts.items() if n]
    return f"{listed(parts)} of {plural(rows.height, 'setting')}"


def _random(tests: pl.DataFrame) -> list[str]:
    ranked = tests.drop_nulls("random_p")
    if ranked.is_empty():
        return []
    larger = ranked.filter(pl.col("random_p") <= LEVEL).height
    draws = plural(max(ranked["draws"].to_list()), "random vector")
    return [
        "After the first token the directions move more than 95% of "
        f"{draws} of the same length on the same contexts in {larger} of "
        f"{plural(ranked.height, 'setting')}; {real(LEVEL * ranked.height)} are "
        "expected by chance (not corrected)."
    ]


def _prompt_end(tests: pl.DataFrame) -> list[str]:
    rows = tests.filter(place=PROMPT_END)
    if rows.is_empty():
        return []
    return [
        "At the last token of the prompt, where the published work injected, the "
        f"presumption is {_verdicts(rows)}."
    ]


def _free(data: StudyData) -> list[str]:
    """How many free runs differ from the unsteered ones, and how many turn."""
    table = data.tables["injection/free"].filter(pl.col("direction") != RANDOM)
    sentences = []
    for mode, words in ((ONCE, "Added once"), (ALWAYS, "Added at every token")):
        rows = table.filter(mode=mode)
        if rows.height:
            sentences.append(
                f"{words}, {_range(rows['differ'])} of the thoughts that go on freely "
                "differ from the unsteered ones. The share that turns back in the next "
                f"sentence is {_sides(rows, 'change')} ({_range(rows['turned'])}, "
                f"unsteered {_range(rows['unsteered'])}; "
                f"{plural(max(rows['n'].to_list()), 'run')} a setting, the same "
                "random numbers, corrected intervals)."
            )
    return sentences


def sheets(data: StudyData) -> list[Sheet]:
    """The tests, and the divergences of all settings."""
    if data.tables["injection/tests"].is_empty():
        return []
    return [tests_sheet(data), divergence_sheet(data), *free_sheets(data)]


def cases(data: StudyData) -> str:
    """Number of contexts behind the figures."""
    tests = data.tables["injection/tests"].filter(place=ARRIVAL)
    n, problems = (max(tests[name].to_list(), default=0) for name in ("n", "problems"))
    return (
        f"{plural(n, 'arrival')} of {plural(problems, 'test problem')}, strength "
        f"{_strength(data):g}. {data.interval_note}"
    )


def free_cases(data: StudyData) -> str:
    """Number of runs behind the figure of free runs."""
    runs = plural(data.tables["injection/free_runs"].height, "run")
    tokens = plural(data.settings["injection"]["free_tokens"], "token")
    return f"{runs} of up to {tokens}. {data.interval_note}"


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={
        "decay": cases,
        "attended": cases,
        "boosted": cases,
        "free": free_cases,
    },
)
