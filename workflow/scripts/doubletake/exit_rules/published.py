"""All policies by name, with their published parameters."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from doubletake.exit_rules.convergence import Convergence
from doubletake.exit_rules.counts import (
    ArrivalCount,
    CueCount,
    NoThought,
    TokenBudget,
    ToTheEnd,
)
from doubletake.exit_rules.deer import Deer
from doubletake.exit_rules.dynasor import Dynasor, DynasorEntropy
from doubletake.exit_rules.eat import Eat
from doubletake.exit_rules.hindsight import Hindsight, Oracle, TokenShare
from doubletake.exit_rules.marker_gap import BoostedEnd, ThinkBrake
from doubletake.exit_rules.points import END, KINDS
from doubletake.exit_rules.probes import CorrectnessProbe, Lynx
from doubletake.exit_rules.puma import Puma
from doubletake.exit_rules.rule import MARKER, PROBE, Rule
from doubletake.exit_rules.thoughts import Thought

ALL = frozenset(KINDS) - {END}

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        NoThought("no_thought"),
        ToTheEnd("to_the_end"),
        *(CueCount(f"cue_{k}", k) for k in (1, 2, 3)),
        ArrivalCount("first_arrival"),
        *(TokenBudget(f"budget_{n}", n) for n in (64, 256, 1024, 4096)),
        Deer("deer"),
        Deer("deer_qwen3", form="qwen3"),
        Dynasor("dynasor_mild", 8, 64),
        Dynasor("dynasor_low", 5, 64),
        Dynasor("dynasor_mid", 3, 64),
        Dynasor("dynasor_high", 2, 64),
        Dynasor("dynasor_crazy", 2, 32),
        DynasorEntropy("dynasor_entropy"),
        Convergence("convergence_3", 3),
        Convergence("convergence_10", 10),
        BoostedEnd("boosted_end"),
        Eat("eat"),
        ThinkBrake("thinkbrake"),
        Puma("puma"),
        CorrectnessProbe("correctness_probe"),
        Lynx("lynx"),
    )
}
"""Rules that decide while a thought runs. `lynx` never stops before its calibration."""

HINDSIGHT: dict[str, Hindsight] = {
    policy.name: policy
    for policy in (
        *(TokenShare(f"share_{p}", p / 100) for p in (10, 25, 50, 75, 90)),
        Oracle("oracle"),
        Oracle("oracle_any", lasting=False),
    )
}
"""Baselines and ceilings that need the whole thought, the oracles also the answer."""

POLICIES: dict[str, Rule | Hindsight] = RULES | HINDSIGHT


def policies_for(answer_prompt: str) -> dict[str, Rule | Hindsight]:
    r"""All policies by name, for a prompt that leads to the answer.

    After a prompt that ends in "\boxed" a trial begins with "{", which DEER leaves out.
    """
    skip = int(answer_prompt.rstrip().endswith("boxed"))
    return {
        name: replace(policy, skip=skip) if isinstance(policy, Deer) else policy
        for name, policy in POLICIES.items()
    }


def why_not(
    rule: Rule, thoughts: Sequence[Thought], kinds: Collection[str], every: int
) -> str | None:
    """Why a rule cannot be replayed on these thoughts; None if it can.

    Args:
        rule: an exit rule.
        thoughts: with trial points.
        kinds: of their points, start and end left aside.
        every: tokens between two points of the kind `every`.
    """
    looked_at = rule.kinds - {END}
    # A budget may look at any point, so it needs no kind in particular.
    if looked_at and looked_at.isdisjoint(kinds):
        names = " or ".join(sorted(looked_at))
        return f"{rule.name} looks at points of the kind {names}, which are left out"
    if any(one.left_out for one in thoughts) and looked_at and looked_at < ALL:
        return (
            f"{rule.name} looks at every point of a kind, and trial_points.most_points "
            "leaves out points"
        )
    gaps = [g for g in (one.tokens_to_marker for one in thoughts) if g is not None]
    if MARKER in rule.needs and gaps and min(gaps) > 0:
        return (
            f"{rule.name} reads the end marker as the next token, but in none of "
            f"{len(gaps)} closed thoughts it follows the last point at once: white "
            "space stands between"
        )
    if rule.stride is not None and rule.stride % every:
        return (
            f"{rule.name} looks every {rule.stride} tokens, which is no multiple of "
            f"the {every} tokens between two trial points"
        )
    if PROBE in rule.needs:
        points = [point for one in thoughts for point in one.points]
        if any(rule.looks_at(p) and p.probe_score is None for p in points):
            return f"{rule.name} reads a probe, and its points have no score"
    return None
