"""How long does the replay of all exit rules take, and a sweep over their thresholds?

Random thoughts, as many as GSM8K's test split has problems, with 40 trial points each,
and each point is of every kind.
All policies are replayed, beside the way in which a decoding model would ask them: one
decision after the other, until the first stop. Then the thresholds of each rule's grid,
with the scores computed once, beside one replay per threshold. And the thresholds that
other problems choose and certify.

Run: python tests/bench/bench_exit_rules.py
"""

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))
sys.path.append(str(Path(__file__).parents[1]))

from comparison import Comparison, Other
from tiny_exits import random_thoughts
from tiny_guarantees import SETTINGS, study_of

from doubletake.exit_rules.costs import Prices, cost_summary
from doubletake.exit_rules.published import POLICIES, RULES
from doubletake.exit_rules.replay import Looks, replay
from doubletake.exit_rules.rule import Watch
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.summarise import summarise

THOUGHTS, POINTS, ROUNDS, TENTH = 1319, 40, 3, 10
GOAL = 30  # seconds for all policies


def replay_all(thoughts):
    return [replay(policy, thoughts) for policy in POLICIES.values()]


def decide_one_by_one(thoughts):
    for rule in RULES.values():
        for thought in thoughts:
            watch = Watch(rule)
            any(watch.stops_at(point) for point in thought.points)


def sweep(thoughts):
    for rule in RULES.values():
        looks = Looks.of(rule, thoughts)
        for threshold in rule.grid:
            looks.stops(threshold)


def sweep_by_replay(thoughts):
    for rule in RULES.values():
        for threshold in rule.grid:
            replay(rule.with_threshold(threshold), thoughts)


def main() -> None:
    thoughts = random_thoughts(THOUGHTS, POINTS, seed=0, dense=True)
    started = time.process_time()
    stops = replay_all(thoughts)
    replayed = time.process_time() - started
    for each in stops:
        cost_summary(each, IntervalSettings(), Prices(10))
    total = time.process_time() - started
    print(
        f"{len(POLICIES)} policies on {THOUGHTS} thoughts with {POINTS} points: "
        f"{replayed:.1f} CPU s, with the summary of costs {total:.1f} (goal {GOAL})"
    )
    started = time.process_time()
    summarise(study_of(thoughts), SETTINGS)
    guarantees = time.process_time() - started
    print(f"exit guarantees of the same thoughts: {guarantees:.1f} CPU s")
    part = thoughts[::TENTH]
    share = len(part) / len(thoughts)
    table = Comparison("exit_policies")
    table.add(
        f"{len(POLICIES)} policies, {THOUGHTS} thoughts x {POINTS} points",
        lambda: replay_all(thoughts),
        {"one decision after the other": Other(lambda: decide_one_by_one(thoughts))},
        ROUNDS,
    )
    table.add(
        f"{sum(len(rule.grid) for rule in RULES.values())} thresholds, the same",
        lambda: sweep(thoughts),
        {"a replay each": Other(lambda: sweep_by_replay(part), 3, share=share)},
        ROUNDS,
    )


if __name__ == "__main__":
    main()
