"""What is decoded: nothing taken away, each claimed ablation, and its random sets."""

from collections.abc import Callable
from dataclasses import dataclass

from ablation.sets import AblationSet, Plan
from ablation.targets import NAMED, NONE, NULLS, null_name


@dataclass(frozen=True, eq=False)
class Arm:
    """One way to decode all texts."""

    ablation: str
    null: str
    set_of: Callable[[int], AblationSet | None]
    """What is taken away from a text, given its number; None: nothing."""

    @property
    def name(self) -> str:
        """Its name in requests."""
        return f"{self.ablation} {self.null}"


def arms_of(plan: Plan, *, random: bool) -> list[Arm]:
    """The arms; a random arm takes another random set for every text.

    Args:
        plan: all ablations.
        random: whether random sets have arms, too.
    """
    arms = [Arm(NONE, NAMED, lambda _: None)]
    nulls: dict[str, None] = {}
    for row in plan.versions:
        if row["claimed"]:
            (named,) = plan.of(row["ablation"], NAMED)
            arms.append(Arm(row["ablation"], NAMED, _always(named)))
            nulls[null_name(row["target"], row["ablation"])] = None
    for name in nulls if random else ():
        for null in NULLS:
            random_sets = plan.of(name, null)
            if random_sets:
                arms.append(Arm(name, null, _in_turn(random_sets)))
    return arms


def _always(one: AblationSet) -> Callable[[int], AblationSet]:
    return lambda _: one


def _in_turn(sets: list[AblationSet]) -> Callable[[int], AblationSet]:
    return lambda number: sets[number % len(sets)]
