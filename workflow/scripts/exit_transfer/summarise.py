"""Does a threshold that one study has chosen also suit another study of the config?

Every rule with a grid of thresholds. Each study chooses by one standard error, and each
study uses what each has chosen. Both choices are compared on the same thoughts.

Inputs
    problems: the problems of every study (`PROBLEMS`).
    traces: the thoughts of every study (`TRACES`).
    points: the trial points of every study (`TRIAL_POINTS`).

Outputs
    transfer: one row per rule and pair of studies (`TRANSFER`).
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from doubletake.exit_rules.families import families
from doubletake.exit_rules.published import policies_for, why_not
from doubletake.exit_rules.rule import PROBE, Rule
from doubletake.running.logs import job
from doubletake.stats.intervals import IntervalSettings
from exit_transfer.tables import TRANSFER
from exit_transfer.transfer_rows import Replayable, corrected, rows_of
from exit_transfer.transferred import Study
from problems.tables import PROBLEMS
from traces.tables import TRACES
from trial_points.reading import thoughts_of
from trial_points.tables import TRIAL_POINTS

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("summarise_exit_transfer")


@dataclass(frozen=True)
class Settings:
    """What the transfer reads of the config."""

    studies: list[str]
    """Names of the studies, in the order of the inputs."""
    answer_prompts: list[str]
    """Of each study: the text that is fed at a point before the trial."""
    kinds: list[str]
    """Kinds of trial points."""
    every: int
    """Tokens between two points of the kind `every`."""
    seed: int
    """Of the groups of problems."""
    intervals: IntervalSettings


def replayable(rule: Rule, study: Study, settings: Settings) -> Replayable:
    """Whether a rule can be replayed in a study."""
    reason = why_not(rule, study.thoughts, settings.kinds, settings.every)
    if PROBE in rule.needs:
        reason = "it reads a probe, and probes are not transferred"
    if not study.thoughts:
        reason = "no thought has trial points"
    return Replayable(rule, study, reason and f"{study.name}: {reason}")


def main(
    *,
    problems_paths: Sequence[Path],
    traces_paths: Sequence[Path],
    points_paths: Sequence[Path],
    transfer_path: Path,
    settings: Settings,
) -> None:
    """Read all studies, let each use what each has chosen, write the table."""
    studies = []
    files = zip(
        settings.studies, problems_paths, traces_paths, points_paths, strict=True
    )
    for name, problems, traces, points in files:
        thoughts = thoughts_of(TRIAL_POINTS.read(points), TRACES.read(traces))
        questions = PROBLEMS.read(problems).select("problem", "question").iter_rows()
        studies.append(Study.of(name, thoughts, questions, settings.seed))
    rows = []
    # Of rules that differ in their threshold only, one stands for all.
    forms = [
        {name: rules[0] for name, rules in families(policies_for(prompt)).items()}
        for prompt in settings.answer_prompts
    ]
    for name in tqdm(forms[0], unit=" rules", disable=None):
        pairs = zip(forms, studies, strict=True)
        places = [replayable(form[name], study, settings) for form, study in pairs]
        rows += rows_of(name, places, settings.intervals)
    TRANSFER.write(TRANSFER.frame(corrected(rows)), transfer_path)
    logger.info("%d rules, %d studies", len(forms[0]), len(studies))


if __name__ == "__main__":
    with job(snakemake.log[0]):
        params = snakemake.params.settings
        main(
            problems_paths=[Path(path) for path in snakemake.input.problems],
            traces_paths=[Path(path) for path in snakemake.input.traces],
            points_paths=[Path(path) for path in snakemake.input.points],
            transfer_path=Path(snakemake.output.transfer),
            settings=Settings(
                **params | {"intervals": IntervalSettings(**params["intervals"])}
            ),
        )
