"""Runs of the whole workflow, as a user starts it, in folders of their own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = ["Snakefile", "rules", "workflow", "config", "profiles", "envs", "resources"]


@dataclass(frozen=True)
class Checkout:
    """A copy of the repository in which a test runs, edits and kills."""

    folder: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run."""
        return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; stderr is joined to stdout."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        """The environment of a run: this one, with bytecode allowed."""
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
    """The default study, cut down to seconds."""
    config["datasets"]["pocket-problems"]["limit"] = 12
    config["generation"]["max_new_tokens"] = 320
    config["intervals"]["bootstrap"] = 50
    config["early_exit"]["verified_traces"] = 2
    config["attribution"]["verified_positions"] = 2
    config["attribution"]["verified_cells"] = 6
    config["report"]["examples"] = 4


@pytest.fixture(scope="session")
def new_checkout() -> Callable[[Path], Checkout]:
    """Make a checkout with the small default study in an empty folder."""

    def make(folder: Path) -> Checkout:
        folder.mkdir(exist_ok=True)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, folder / part, ignore=ignored)
            else:
                shutil.copy2(source, folder / part)
        checkout = Checkout(folder)
        checkout.configure(small)
        return checkout

    return make


@pytest.fixture(scope="session")
def finished(tmp_path_factory, new_checkout) -> Checkout:
    """A checkout whose study has run; tests only read it."""
    checkout = new_checkout(tmp_path_factory.mktemp("finished"))
    result = checkout.run()
    assert result.returncode == 0, result.stdout[-8000:]
    return checkout


@pytest.fixture
def rerun(finished, tmp_path) -> Checkout:
    """A copy of the finished checkout that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path, new_checkout) -> Checkout:
    """A checkout in which nothing has run."""
    return new_checkout(tmp_path / "fresh")
