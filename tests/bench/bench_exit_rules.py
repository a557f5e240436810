"""How long does the summary of all exit policies take?

Random thoughts, as many as GSM8K's test split has problems, with 40 trial points each,
and each point is of every kind. The script `summarise.py` is measured as a whole: it
reads the tables, replays all policies and all thresholds of their grids, tests, and
writes its tables. Beside it:

- the way in which a decoding model would ask the rules: one decision after the other,
  until the first stop;
- the thresholds of each rule's grid, with the scores computed once, beside one replay
  per threshold;
- the thresholds that other problems choose and certify.

Run: python tests/bench/bench_exit_rules.py
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))
sys.path.append(str(Path(__file__).parents[1]))

from comparison import Comparison, Other
from tiny_exits import random_thoughts
from tiny_guarantees import SETTINGS as GUARANTEES
from tiny_guarantees import study_of
from tiny_policies import SETTINGS, point_rows
from tiny_report import trace_row

from doubletake.exit_rules.published import POLICIES, RULES
from doubletake.exit_rules.replay import Looks, replay
from doubletake.exit_rules.rule import Watch
from exit_guarantees.summarise import summarise as guarantees_of
from exit_policies.summarise import main as summarise
from exit_probes.tables import EXIT_PROBE_QUALITY, EXIT_PROBE_SCORES
from traces.tables import TRACES
from trial_points.tables import TRIAL_POINTS

THOUGHTS, POINTS, ROUNDS, TENTH = 1319, 40, 3, 10
GOAL = 30  # CPU seconds for the whole script


def trace_rows(thoughts):
    """A trace with as many tokens as each thought."""
    for thought in thoughts:
        row = trace_row("0", "x" * thought.tokens, "8")
        names = {"trace": thought.trace, "problem": thought.problem}
        yield row | names | {"correct": bool(thought.right[0])}


def seconds_of_summary(thoughts, folder: Path) -> float:
    """CPU seconds of the script on the tables of these thoughts."""
    points, traces = folder / "points.parquet", folder / "traces.parquet"
    TRIAL_POINTS.write(TRIAL_POINTS.frame(point_rows(thoughts)), points)
    TRACES.write(TRACES.frame(list(trace_rows(thoughts))), traces)
    scores, quality = folder / "scores.parquet", folder / "quality.parquet"
    EXIT_PROBE_SCORES.write(EXIT_PROBE_SCORES.frame([]), scores)
    EXIT_PROBE_QUALITY.write(EXIT_PROBE_QUALITY.frame([]), quality)
    started = time.process_time()
    summarise(
        points_path=points,
        traces_path=traces,
        scores_path=scores,
        quality_path=quality,
        lynx_path=folder / "lynx.parquet",
        stops_path=folder / "stops.parquet",
        policies_path=folder / "policies.parquet",
        curves_path=folder / "curves.parquet",
        settings=SETTINGS,
    )
    return time.process_time() - started


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
    with tempfile.TemporaryDirectory() as folder:
        seconds = seconds_of_summary(thoughts, Path(folder))
    print(
        f"{len(POLICIES)} policies on {THOUGHTS} thoughts with {POINTS} points, as a "
        f"whole: {seconds:.1f} CPU s (goal {GOAL})"
    )
    started = time.process_time()
    guarantees_of(study_of(thoughts), GUARANTEES)
    seconds = time.process_time() - started
    print(f"exit guarantees of the same thoughts: {seconds:.1f} CPU s")
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
