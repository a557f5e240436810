"""The proof: every rule decodes, and is compared with its replay."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from doubletake.exit_rules.rule import ENTROPY, MARKER, PROBE, TRIAL, Rule
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.trace_rows import TracePrompt
from online_exit.comparison import Replayed, difference
from online_exit.decoding import Engine
from online_exit.looks import Looking
from online_exit.reference import Reference, measured_reference
from online_exit.rounding import Margins
from online_exit.studied_rules import StudiedRules
from online_exit.tables import REASONS
from online_exit.watched_thoughts import WatchedThought

END_RULE = "to_the_end"
"""Its thoughts are decoded whole: in greedy mode the others are compared with them."""


@dataclass(frozen=True)
class Proof:
    """What is decoded, and with what it is compared."""

    engine: Engine
    looking: Looking
    rules: StudiedRules
    prompts: Sequence[TracePrompt]
    """Of the drawn thoughts."""

    def decode(
        self, names: Sequence[str], sampling: Sampling, progress: Progress
    ) -> list[WatchedThought]:
        """Decode all thoughts with each of these rules, together."""
        watched = []
        for prompt in self.prompts:
            for name in names:
                rule = self.rules.rule(name, prompt.problem)
                probe = self.rules.probe(name, prompt.problem)
                watched.append(WatchedThought(rule, prompt, self.looking, probe))
        done = []
        for thought, tokens in self.engine.decode(watched, sampling):
            progress.update(thought is not None, tokens)
            if thought is not None:
                done.append(thought)
        order = {one.name: number for number, one in enumerate(watched)}
        return sorted(done, key=lambda one: order[one.name])

    def reference_of(self, done: Sequence[WatchedThought]) -> Reference:
        """The whole ones among these thoughts, with trials computed afterwards."""
        rows = [one.row for one in done if one.whole and one.row is not None]
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
    thoughts: dict[str, list[tuple[WatchedThought, int]]] = field(default_factory=dict)
    """What each rule has watched, with the tokens of the whole thought."""

    def add(
        self, done: Sequence[WatchedThought], reference: Reference, margins: Margins
    ) -> None:
        """Compare thoughts with their replay, those that have a reference."""
        for one in done:
            replayed = reference.replayed(one.rule, one.prompt.trace)
            if replayed is None:
                continue
            self.rows.append(row_of(self.mode, one, replayed, margins))
            full = replayed.thought.tokens
            self.thoughts.setdefault(one.rule.name, []).append((one, full))


def row_of(
    mode: str, online: WatchedThought, replayed: Replayed, margins: Margins
) -> dict[str, Any]:
    """The row of `ONLINE_EXIT` of a thought that was decoded."""
    found = difference(online, replayed, margins)
    return {
        "rule": online.rule.name,
        "mode": mode,
        "trace": online.prompt.trace,
        "problem": online.prompt.problem,
        "kept": online.kept,
        "replay_kept": replayed.kept,
        "full": replayed.thought.tokens,
        "stopped": online.stop is not None,
        "equal": found is None,
        "reason": None if found is None else found.reason,
        "first": None if found is None else found.token,
        "gap": None if found is None else found.gap,
        "read": online.read,
        "points": online.shown,
        "looks": len(online.looks),
        "trials": online.count(TRIAL),
        "trial_tokens": online.trial_tokens,
        "entropies": online.count(ENTROPY),
        "markers": online.count(MARKER),
        "probes": online.count(PROBE),
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
