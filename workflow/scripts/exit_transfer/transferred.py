"""A rule in a study, with thresholds that another study has chosen.

Group g of the study that uses a threshold reports what group g + 1 of the other study
has chosen (`exit_rules.splits`). Two studies may share problems: two models answer one
dataset, or two datasets hold the same question. Problems that report in a group never
choose for it, whichever study has them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from doubletake.exit_rules.replay import Looks
from doubletake.exit_rules.rule import Rule
from doubletake.exit_rules.splits import GROUPS, calibration_group, problem_groups
from doubletake.exit_rules.thoughts import Thought
from doubletake.exit_rules.thresholds import Chosen, chosen_threshold, spent_tokens


@dataclass(frozen=True)
class Study:
    """The thoughts of a study, with groups of its problems."""

    name: str
    thoughts: tuple[Thought, ...]
    questions: dict[str, str]
    """Question of each problem; equal ones are one problem in all studies."""
    groups: dict[str, int]
    """Group of each problem."""
    choices: dict[tuple[Rule, tuple[str, ...]], Chosen] = field(default_factory=dict)
    """What was chosen so far, by rule and problems."""

    @classmethod
    def of(
        cls,
        name: str,
        thoughts: Iterable[Thought],
        questions: Iterable[tuple[str, str]],
        seed: int,
    ) -> "Study":
        """Draw the groups.

        Args:
            name: of the study.
            thoughts: with trial points.
            questions: problem and question; white space does not tell two apart.
            seed: of the draw.
        """
        own = tuple(thoughts)
        return cls(
            name,
            own,
            {problem: " ".join(question.split()) for problem, question in questions},
            problem_groups((thought.problem for thought in own), seed),
        )

    @cached_property
    def problems(self) -> np.ndarray:
        """[thought], its problem."""
        return np.array([thought.problem for thought in self.thoughts], dtype=object)

    def in_group(self, group: int) -> np.ndarray:
        """[thought], whether its problem is in the group."""
        return np.array([self.groups[one.problem] == group for one in self.thoughts])

    def choice(self, rule: Rule, group: int, other: "Study") -> Chosen | None:
        """The threshold that a group of another study uses; None: no thought chooses.

        Args:
            rule: as its published form is in this study.
            group: of the problems of `other` that report.
            other: the study that uses the threshold; it may be this one.
        """
        reporting = {
            other.questions[problem]
            for problem, number in other.groups.items()
            if number == group
        }
        problems = tuple(
            problem
            for problem, number in self.groups.items()
            if number == calibration_group(group)
            and self.questions[problem] not in reporting
        )
        if not problems:
            return None
        key = (rule, problems)
        if key not in self.choices:
            choosing = set(problems)
            thoughts = [one for one in self.thoughts if one.problem in choosing]
            self.choices[key] = chosen_threshold(rule, thoughts)
        return self.choices[key]


@dataclass(frozen=True)
class Outcome:
    """A rule on all thoughts of a study, each group of problems with its threshold."""

    thresholds: tuple[float | None, ...]
    """[group]; None: think to the end."""
    spent: np.ndarray
    """[thought], kept and trial tokens."""
    right: np.ndarray
    """[thought], bool: right at the stop."""
    stopped: np.ndarray
    """[thought], bool: stopped before the end."""


def outcome(looks: Looks, study: Study, thresholds: Sequence[float | None]) -> Outcome:
    """Use one threshold per group of problems.

    Args:
        looks: of the rule at all thoughts of the study.
        study: the study that uses the thresholds.
        thresholds: [group]; None: think to the end, without any trial.
    """
    whole = looks.stops(looks.rule.threshold)  # read for its full thoughts only
    spent, right = whole.full, whole.right_at_end
    stopped = np.zeros(len(study.thoughts), dtype=bool)
    for group, threshold in enumerate(thresholds):
        if threshold is None:
            continue
        stops, rows = looks.stops(threshold), study.in_group(group)
        spent[rows] = spent_tokens(stops)[rows]
        right[rows] = stops.right[rows]
        stopped[rows] = stops.point[rows] >= 0
    return Outcome(tuple(thresholds), spent, right, stopped)


def choices_for(rule: Rule, chooser: Study, user: Study) -> list[Chosen] | None:
    """What each group of a study uses; None: for a group, nobody chooses.

    Args:
        rule: as its published form is in the study that chooses.
        chooser: the study that chooses.
        user: the study that uses the thresholds.
    """
    found = [chooser.choice(rule, group, user) for group in range(GROUPS)]
    known = [choice for choice in found if choice is not None]
    return known if len(known) == GROUPS else None
