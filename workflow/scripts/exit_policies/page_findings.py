"""What the page says of rules: against the fixed share, cues, the oracle, costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.exit_rules.published import RULES
from doubletake.page.reader import is_reader
from doubletake.page.wording import count, listed, percent, plural, points
from exit_policies.claims import (
    BETTER,
    OPEN,
    WORSE,
    Row,
    best_rule,
    direction,
    is_tested,
    policies_of,
    rate,
    rules_of,
    verdict,
    with_interval,
)
from exit_policies.page_probes import probes
from exit_policies.tables import IN_HINDSIGHT

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

ORDINALS = {"cue_1": "first", "cue_2": "second", "cue_3": "third"}


def findings(data: StudyData) -> list[str]:
    """All sentences; of a reader only those that claim nothing of stopping."""
    if policies_of(data).is_empty():
        return [refused(data)] if refused(data) else []
    parts = [] if is_reader(data) else [cues, over_share, against_oracle, answers]
    parts += [unclosed, unable, never, refused, probes, costs]
    sentences = [part(data) for part in parts]
    if is_reader(data):
        sentences.insert(0, READER)
    return [sentence for sentence in sentences if sentence]


READER = (
    "Whether a rule loses accuracy, and whether it beats a fixed share of tokens, is "
    "not tested here: the answer after a whole thought is its writer\u2019s, and an "
    "answer at a stop is the reader\u2019s. So their difference is not the price of "
    "stopping."
)


def cues(data: StudyData) -> str:
    """Is there a backtracking token to stop at?"""
    rows = [row for row in rules_of(data) if row["policy"] in ORDINALS]
    if not rows:
        return ""
    test = (
        " (Paired score tests over problems, corrected for the number of all rules "
        "that stop a thought.)"
    )
    parts = [
        f"at the {ORDINALS[row['policy']]} cue, which {row['stopped']:,} of "
        f"{plural(row['thoughts'], 'thought')} have, {rate(data, row)} of the tokens "
        f"are spent and the accuracy changes by {with_interval(data, row, 'change')}"
        + (f": {verdict(data, row)}" if is_tested(data) else "")
        for row in rows
    ]
    return (
        f"Is there a backtracking token to stop at? Stopped {'; '.join(parts)}."
        f"{test if is_tested(data) else f' Not checked: {problems_of(rows[0])}.'}"
    )


def over_share(data: StudyData) -> str:
    """Which rules beat a stop at a fixed share of the tokens?"""
    rows = rules_of(data)
    if not rows:
        return ""
    if not is_tested(data):
        return (
            "Whether a rule beats a fixed share of tokens is not checked: "
            f"{problems_of(rows[0])}."
        )
    groups: dict[int, list[Row]] = {BETTER: [], WORSE: [], OPEN: []}
    for row in rows:
        groups[direction(data, row, "over_share")].append(row)
    parts = [
        f"{plural(len(found), 'is', 'are')} {word} ({listed(_named(data, found))})"
        for group, word in (
            (BETTER, "right more often"),
            (WORSE, "right less often"),
        )
        if (found := groups[group])
    ]
    if groups[OPEN]:
        names = listed([row["policy"] for row in groups[OPEN]])
        parts.append(f"for {len(groups[OPEN])} no difference is shown ({names})")
    return (
        f"Of {plural(len(rows), 'rule')} that stop a thought, compared with stopping "
        "at a fixed share of each thought that keeps at least as many tokens: "
        f"{'; '.join(parts)}. Paired score test over problems, corrected for the "
        "number of rules (Holm), and the interval excludes 0. The fixed share needs "
        "the length of the thought, so it is a baseline and no rule."
    )


def _named(data: StudyData, rows: list[Row]) -> list[str]:
    ordered = sorted(rows, key=lambda row: -abs(row["over_share"]))
    return [
        f"{row['policy']} {points(row['over_share'])} points, "
        f"{data.between(row, points, 'over_share')}"
        for row in ordered
    ]


def against_oracle(data: StudyData) -> str:
    """What the oracle keeps, and what the best rule lacks against it."""
    rows = policies_of(data).filter(policy="oracle").to_dicts()
    if not rows:
        return ""
    (oracle,) = rows
    text = (
        "With the right answer known, the oracle stops at the earliest point that is "
        f"right and stays right, and keeps {rate(data, oracle)} of the tokens."
    )
    best = best_rule(data)
    if best is None:
        return text
    tokens = data.between(best, points, "tokens_over_oracle")
    lost = data.between(best, points, "lost_to_oracle")
    return (
        f"{text} Regret of {best['policy']} against it: "
        f"{points(best['tokens_over_oracle'])} points of the tokens ({tokens}) and "
        f"{points(best['lost_to_oracle'])} points of accuracy ({lost})."
    )


def answers(data: StudyData) -> str:
    """Helped and harmed thoughts of the best rule, and of all rules."""
    rows = rules_of(data)
    if not rows:
        return ""
    most = max(rows, key=lambda row: row["harmed"])
    text = (
        f"Most answers are harmed by {most['policy']}: {most['harmed']:,} of "
        f"{plural(most['thoughts'], 'thought')} are right at the end and wrong at its "
        f"stop, {most['helped']:,} the other way round."
    )
    best = best_rule(data)
    if best is None or best["policy"] == most["policy"]:
        return text
    return (
        f"{best['policy']} harms {best['harmed']:,} and helps {best['helped']:,} of "
        f"{plural(best['thoughts'], 'thought')}. {text}"
    )


def unclosed(data: StudyData) -> str:
    """Thoughts that were cut off, which an early exit can only help."""
    traces = data.tables["traces"]
    cut_off = traces["thought_end"].null_count()
    if not cut_off:
        return ""
    return (
        f"{cut_off:,} of {plural(traces.height, 'thought')} were cut off. They have no "
        "answer, which counts as wrong at the end. So a rule that stops them with a "
        "right answer is credited for it."
    )


def unable(data: StudyData) -> str:
    """Rules that can stop no thought of this study."""
    rows = _idle(data, able=False)
    if not rows:
        return ""
    thoughts = plural(rows[0]["thoughts"], "thought")
    return (
        f"{plural(len(rows), 'rule')} cannot stop any of {thoughts}: "
        f"{listed([_needs(row) for row in rows])}. No thought has so many."
    )


def _needs(row: Row) -> str:
    rule = RULES[row["policy"]]
    if rule.counts_events:
        events = {"cue": "backtrack cue", "first": "arrival", "budget": "token"}
        event = events[row["policy"].partition("_")[0]]
        return f"{row['policy']} needs {plural(int(rule.threshold), event)}"
    if rule.stride is not None:
        points_needed = plural(rule.least_points, "point")
        return f"{row['policy']} needs {points_needed} every {rule.stride} tokens"
    kind = f"{listed(sorted(rule.kinds))} point" if len(rule.kinds) == 1 else "point"
    return f"{row['policy']} needs {plural(rule.least_points, kind)}"


def never(data: StudyData) -> str:
    """Rules that could stop a thought, and never do."""
    rows = _idle(data, able=True)
    if not rows:
        return ""
    names = [
        f"{row['policy']} ({row['able']:,} of {row['thoughts']:,} thoughts are long "
        "enough)"
        for row in rows
    ]
    return (
        f"{plural(len(rows), 'rule')} never {'stops' if len(rows) == 1 else 'stop'} "
        f"although the thoughts have enough points: {listed(names)}."
    )


def _idle(data: StudyData, *, able: bool) -> list[Row]:
    """Rules that stop no thought; `to_the_end` is none of them."""
    return [
        row
        for row in policies_of(data).iter_rows(named=True)
        if row["family"] != IN_HINDSIGHT
        and row["policy"] != "to_the_end"
        and not row["stopped"]
        and (row["able"] > 0) == able
    ]


def refused(data: StudyData) -> str:
    """Rules that were not replayed, with the reason."""
    reasons = data.tables["exit_policies/policies"]["why_not"].drop_nulls().to_list()
    return f"Not replayed: {'; '.join(reasons)}." if reasons else ""


def costs(data: StudyData) -> str:
    """What the rates count, and what is counted beside them."""
    rows = policies_of(data).to_dicts()
    beside = [
        f"{plural(total, *words)}"
        for name, words in (
            (
                "fed_tokens",
                ("token of the answer prompt", "tokens of the answer prompt"),
            ),
            ("entropies", ("look at an entropy", "looks at an entropy")),
            ("probes", ("score of a probe", "scores of a probe")),
            (
                "read_ahead",
                (
                    "token that is read to see a point, then dropped",
                    "tokens that are read to see a point, then dropped",
                ),
            ),
        )
        if (total := max((row[name] for row in rows), default=0))
    ]
    text = (
        "Costs: the kept rate is the kept thought tokens over those of the whole "
        "thoughts; the total rate adds all tokens of trial answers, also of the last. "
        "The final answer counts for none."
    )
    if not beside:
        return text
    return (
        f"{text} Beside these rates lie, for the policy that needs most of each, "
        f"{listed(beside)}."
    )


def problems_of(row: Row) -> str:
    """Number of problems, in words."""
    return plural(row["problems"], "problem")


def saving(row: Row) -> str:
    """Tokens saved, in percent."""
    return percent(1 - row["total_rate"])


def stopped(row: Row) -> str:
    """How many thoughts a rule stops."""
    return f"{count(row['stopped'])} of {plural(row['thoughts'], 'thought')}"
