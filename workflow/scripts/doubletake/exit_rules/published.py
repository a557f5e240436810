"""All policies by name, with their published parameters."""

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
from doubletake.exit_rules.probes import CorrectnessProbe, Lynx
from doubletake.exit_rules.puma import Puma
from doubletake.exit_rules.rule import Rule

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


def why_not(rule: Rule, every: int) -> str | None:
    """Why a rule cannot be replayed on points of every n-th token; None if it can.

    Args:
        rule: an exit rule.
        every: tokens between two points of the kind `every`.
    """
    if rule.stride is None or rule.stride % every == 0:
        return None
    return (
        f"{rule.name} looks every {rule.stride} tokens, which is no multiple of the "
        f"{every} tokens between two trial points"
    )
