"""Which rules decode on a study, and what each of them reads."""

import math
from dataclasses import dataclass, replace

import polars as pl

from doubletake.exit_rules.probes import Lynx
from doubletake.exit_rules.published import policies_for, why_not
from doubletake.exit_rules.rule import PROBE, Rule
from doubletake.exit_rules.splits import training_group
from doubletake.exit_rules.thoughts import Thought
from exit_probes.reading import PointProbe


@dataclass(frozen=True)
class StudiedRules:
    """All exit rules, with the probes and thresholds of each problem."""

    rules: dict[str, Rule]
    """By name, with published parameters."""
    probes: dict[tuple[str, int], PointProbe]
    """By rule and training group."""
    groups: dict[str, int]
    """Group of each problem."""
    lynx: dict[int, tuple[float, float]]
    """Of each group, `q_right` and `q_wrong`."""

    @classmethod
    def of(
        cls,
        answer_prompt: str,
        probes: dict[tuple[str, int], PointProbe],
        groups: dict[str, int],
        calibration: pl.DataFrame,
    ) -> "StudiedRules":
        """The rules of a study.

        Args:
            answer_prompt: of the trials.
            probes: by rule and training group.
            groups: group of each problem.
            calibration: `LYNX_CALIBRATION`.
        """
        policies = policies_for(answer_prompt).items()
        rules = {name: one for name, one in policies if isinstance(one, Rule)}
        columns = calibration.select("group", "q_right", "q_wrong").fill_null(math.inf)
        lynx = {group: (right, wrong) for group, right, wrong in columns.iter_rows()}
        return cls(rules, probes, groups, lynx)

    def probe(self, rule: str, problem: str) -> PointProbe | None:
        """The probe that a rule reads on a problem; it has not seen the problem."""
        group = self.groups.get(problem)
        if group is None:
            return None
        return self.probes.get((rule, training_group(group)))

    def rule(self, name: str, problem: str) -> Rule:
        """A rule with the thresholds for a problem."""
        rule = self.rules[name]
        quantiles = self.lynx.get(self.groups.get(problem, -1))
        if isinstance(rule, Lynx) and quantiles is not None:
            return replace(rule, q_right=quantiles[0], threshold=quantiles[1])
        return rule

    def why_not(
        self, rule: Rule, thoughts: list[Thought], kinds: list[str], every: int
    ) -> str | None:
        """Why a rule cannot decode on these thoughts; None if it can."""
        if PROBE in rule.needs:
            missing = [p for p in thoughts if self.probe(rule.name, p.problem) is None]
            if missing or not thoughts:
                return f"{rule.name} reads a probe, which the study does not have"
        return why_not(rule, thoughts, kinds, every)
