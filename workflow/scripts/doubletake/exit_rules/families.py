"""Families of rules: rules that differ in their threshold only share a calibration."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from doubletake.exit_rules.hindsight import Hindsight
from doubletake.exit_rules.rule import Rule


def families(policies: Mapping[str, Rule | Hindsight]) -> dict[str, list[Rule]]:
    """The rules with a grid of thresholds, by family.

    `cue_1`, `cue_2` and `cue_3` are one rule with three published thresholds. Their
    family is called `cue`, what their names have in common.
    """
    found: dict[Rule, list[Rule]] = {}
    for policy in policies.values():
        if isinstance(policy, Rule) and policy.grid:
            alike = replace(policy, name="", threshold=0.0)
            found.setdefault(alike, []).append(policy)
    return {
        "_".join(_shared_words([rule.name for rule in rules])): rules
        for rules in found.values()
    }


def _shared_words(names: list[str]) -> list[str]:
    """The words with which all names begin."""
    words = zip(*(name.split("_") for name in names), strict=False)
    return [same[0] for same in takewhile(_are_equal, words)]


def _are_equal(words: tuple[str, ...]) -> bool:
    return len(set(words)) == 1
