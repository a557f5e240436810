"""The proof: every rule decodes, and is compared with its replay."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from doubletake.exit_rules.rule import ENTROPY, MARKER, PROBE, TRIAL, Rule
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.trace_rows import TracePrompt
from online_exit.comparison import Online, Replayed, difference
from online_exit.decoding import Engine
from online_exit.looks import Looking
from online_exit.reference import Reference, measured_reference
from online_exit.rounding import Margins
from online_exit.studied_rules import StudiedRules
from online_exit.tables import REASONS
from online_exit.watched_thoughts import RunningThought, Watcher


@dataclass(frozen=True)
class Proof:
    """What is decoded, and with what it is compared."""

    engine: Engine
    looking: Looking
    rules: StudiedRules
    prompts: Sequence[TracePrompt]
    """Of the drawn thoughts."""

    def shortened(self, most: int | None) -> "Proof":
        """The same with completions of at most so many tokens; None: as they are."""
        longest = self.engine.max_new_tokens
        tokens = longest if most is None else min(most, longest)
        return replace(self, engine=replace(self.engine, max_new_tokens=tokens))

    def decode(
        self, names: Sequence[str], sampling: Sampling, progress: Progress
    ) -> list[RunningThought]:
        """Decode all thoughts together, each watched by all of these rules."""
        thoughts = []
        for prompt in self.prompts:
            problem = prompt.problem
            watchers = [
                Watcher(self.rules.rule(name, problem), self.rules.probe(name, problem))
                for name in names
            ]
            thoughts.append(RunningThought(prompt, self.looking, watchers))
        done = set()
        for thought, tokens in self.engine.decode(thoughts, sampling):
            progress.update(thought is not None, tokens)
            if thought is not None:
                done.add(thought.prompt.trace)
        return [one for one in thoughts if one.prompt.trace in done]

    def reference_of(self, done: Sequence[RunningThought]) -> Reference:
        """These thoughts, with trials computed afterwards."""
        rows = [one.row for one in done if one.row is not None]
        problems = {one.problem: (one.question, one.gold) for one in self.prompts}
        return measured_reference(
            self.engine, self.looking, rows, problems, self.rules.probe
        )

    def why_not(self, reference: Reference) -> dict[str, str]:
        """Why rules cannot be compared on this reference, by name."""
        kinds, every = list(self.looking.kinds), self.looking.every
        reasons = {
            name: self.rules.why_not(
                rule, list(reference.of_rule(rule).values()), kinds, every
            )
            for name, rule in self.rules.rules.items()
        }
        return {name: reason for name, reason in reasons.items() if reason is not None}


@dataclass
class Compared:
    """All rules of one mode."""

    mode: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Rows of `ONLINE_EXIT`."""
    deciding: dict[str, float] = field(default_factory=dict)
    """Seconds of the own decisions of each rule."""

    def add(
        self, done: Sequence[RunningThought], reference: Reference, margins: Margins
    ) -> None:
        """Compare every rule on every thought with its replay."""
        for thought in done:
            for watcher in thought.watchers:
                name = watcher.rule.name
                replayed = reference.replayed(watcher.rule, thought.prompt.trace)
                if replayed is None:
                    continue
                online = Online(thought, watcher)
                self.rows.append(row_of(self.mode, online, replayed, margins))
                seconds = self.deciding.get(name, 0.0) + watcher.deciding
                self.deciding[name] = seconds


def row_of(
    mode: str, online: Online, replayed: Replayed, margins: Margins
) -> dict[str, Any]:
    """The row of `ONLINE_EXIT` of a rule on a thought that was decoded."""
    found = difference(online, replayed, margins)
    watcher = online.watcher
    return {
        "rule": online.rule.name,
        "mode": mode,
        "trace": online.prompt.trace,
        "problem": online.prompt.problem,
        "kept": online.kept,
        "replay_kept": replayed.kept,
        "full": replayed.thought.tokens,
        "stopped": online.stopped,
        "equal": found is None,
        "reason": None if found is None else found.reason,
        "first": None if found is None else found.token,
        "gap": None if found is None else found.gap,
        "read": watcher.read,
        "points": watcher.shown,
        "looks": len(watcher.looks),
        "trials": watcher.count(TRIAL),
        "trial_tokens": watcher.trial_tokens,
        "entropies": watcher.count(ENTROPY),
        "markers": watcher.count(MARKER),
        "probes": watcher.count(PROBE),
    }


def rule_rows(
    rules: dict[str, Rule], mode: str, rows: pl.DataFrame, why_not: dict[str, str]
) -> list[dict[str, Any]]:
    """The rows of `ONLINE_RULES` of one mode.

    Args:
        rules: all of them, by name.
        mode: of `tables.MODES`.
        rows: `ONLINE_EXIT`.
        why_not: why rules were not compared, by name.
    """
    found = []
    for name in rules:
        own = rows.filter(rule=name, mode=mode)
        row: dict[str, Any] = {"rule": name, "mode": mode, "why_not": why_not.get(name)}
        if own.height:
            row |= {
                "thoughts": own.height,
                "equal": own["equal"].sum(),
                "stopped": own["stopped"].sum(),
                "largest_gap": own["gap"].max(),
            }
            row |= {
                f"other_{reason}": own.filter(reason=reason).height
                for reason in REASONS
            }
        elif name not in why_not:
            row["why_not"] = "no thought was decoded"
        found.append(row)
    return found
