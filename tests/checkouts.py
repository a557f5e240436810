"""Copies of the repository in which tests run, edit and kill."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import starts
import yaml
from filelock import FileLock

from doubletake.study.registry import sharded

ROOT = Path(__file__).parents[1]
PARTS = ["Snakefile", "rules", "workflow", "config", "profiles", "envs", "resources"]


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository in which a test runs, edits and kills."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> "Checkout":
        """Copy what a run needs into a folder."""
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():  # with bytecode, so that copies need not compile
                shutil.copytree(source, folder / part)
            else:
                shutil.copy2(source, folder / part)
        return cls(folder)

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; stderr is joined to stdout.

        Snakemake and its jobs share their imports with other runs (`starts`).
        """
        options = self.command(*arguments)[3:]
        return starts.start(options, self.folder, self.environment())

    def run_plainly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Like `run`, as a user starts it: every process imports what it needs."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def unlock(self) -> None:
        """Do what a user does after Snakemake was killed hard."""
        result = self.run("--unlock")
        assert result.returncode == 0, result.stdout[-4000:]

    def ask(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Like `run`, for what Snakemake says: a plan, a summary, a refusal."""
        return self.run(*arguments)

    def environment(self) -> dict[str, str]:
        """The environment of a run: the current one, with bytecode allowed."""
        names = os.environ.items()
        return {k: v for k, v in names if k != "PYTHONDONTWRITEBYTECODE"}

    def configure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Edit the default config."""
        path = self.folder / "config/config.yaml"
        config = yaml.safe_load(path.read_text())
        change(config)
        path.write_text(yaml.safe_dump(config))

    def study(self, name: str = "pocket/pocket-problems") -> Path:
        """Folder of a study's results."""
        return self.folder / "results" / name


def small(config: dict[str, Any]) -> None:
    """Make the default study so small that it runs in seconds."""
    config["datasets"]["pocket-problems"]["limit"] = 12
    config["generation"]["max_new_tokens"] = 320
    config["intervals"]["least_problems"] = 3
    config["verification"]["minimum"] = 5
    config["probing"] |= {"strengths": [0.01, 0.1], "folds": 3, "shuffles": 1}
    config["value_vectors"]["checked_positions"] = 4
    config["report"]["examples"] = 4
    config["decoding_actions"]["thoughts"] = 3
    config["repetition"] |= {"thoughts": 4, "most": 3}
    config["wrong_samples"] |= {"further": 2, "samples": 1, "right_samples": 1}
    config["exact_attribution"] |= {"backtracks": 4, "top": 4, "random": 4}
    config["resampling"] |= {"boundaries": 8, "samples": 3, "anchor_thoughts": 3}
    config["resampling"] |= {"anchor_sentences": 2, "anchor_samples": 2}
    config["faithfulness"]["thoughts"] = 4
    config["mistakes"] |= {"thoughts": 4, "own": 2, "samples": 1, "boundaries": 2}
    config["injection"] |= {"contexts": 2, "random": 3, "random_contexts": 1}
    config["injection"] |= {"free_contexts": 1, "free_tokens": 4}
    config["steering"] |= {"strengths": [0.25], "steps": [0.5, 1.0], "random": 4}
    config["steering"] |= {"contexts": 3, "ladder_contexts": 3, "thoughts": 2}
    config["ablation"] |= {"boundaries": 3, "sizes": [2], "continuations": 2}
    config["ablation"] |= {"tokens": 4, "thoughts": 1, "thought_tokens": 32}
    config["online_exit"] |= {"thoughts": 2, "timed_thoughts": 1, "greedy_tokens": 64}


def new_checkout(folder: Path) -> Checkout:
    """A checkout with the small default study."""
    checkout = Checkout.new(folder)
    checkout.configure(small)
    return checkout


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder that all workers of a test run share."""
    folder = factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


def run_once(folder: Path) -> Checkout:
    """A checkout with a finished study. The first caller runs it.

    Args:
        folder: folder of the checkout, inside a folder that all workers share.
    """
    with FileLock(folder.with_suffix(".lock")):
        done = folder.with_suffix(".done")
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            result = new_checkout(folder).run()
            assert result.returncode == 0, result.stdout[-8000:]
            done.touch()
    return Checkout(folder)


def rule_texts() -> dict[str, str]:
    """Texts of all rules, by name."""
    texts = {}
    for path in sorted((ROOT / "rules").glob("*.smk")):
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            texts[text.partition(":")[0]] = text
    loop = (ROOT / "rules/merge.smk").read_text()
    return texts | {f"merge_{stage.name}": loop for stage in sharded()}


def local_rules() -> set[str]:
    """Names of rules that run beside Snakemake, even on a cluster."""
    return {name for name, text in rule_texts().items() if "localrule: True" in text}
