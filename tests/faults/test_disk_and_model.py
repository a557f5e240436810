"""A full disk, and a model that changes or disappears while the study runs."""

import os
import random
import re
import subprocess
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from fault_counts import Tally
from fault_tools import Run, assert_same, truncate
from safetensors import safe_open
from safetensors.torch import load_file, save_file

FULL, LIMITED = "full disk (tmpfs)", "full disk (largest file)"
GONE, CUT, NAN = "model file removed", "weights truncated", "NaN in a weight"
STUDY = "results/pocket/pocket-problems"
TARGETS = [f"{STUDY}/early_exit.parquet", f"{STUDY}/turns.parquet"]
MODEL = "resources/pocket/model.safetensors"


def assert_complete(checkout, undisturbed: dict[str, str]) -> None:
    """Assert that a run makes its targets, and that all its files are byte-equal."""
    text = Run(checkout, *TARGETS).wait()
    for target in TARGETS:
        assert (checkout.folder / target).is_file(), text[-8000:]
    assert_same(checkout, undisturbed, whole=False)


@contextmanager
def small_disk(folder: Path):
    """Mount a disk of 128 kB; yields a function that enlarges it, None if refused."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(folder)]
    if subprocess.run(command, check=False).returncode != 0:
        warnings.warn(
            "mount refused: no disk was filled, only files limited", stacklevel=2
        )
        yield None
        return
    grow = ["mount", "-o", "remount,size=64m", str(folder)]
    try:
        yield lambda: subprocess.run(grow, check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fails_for_want_of_space(run: Run, reason: str, kind: str, tally: Tally) -> None:
    """Assert that the run fails and names the file that could not be written."""
    tally.inject(kind)
    text = run.wait()
    assert run.process.returncode != 0
    named = [line for line in text.splitlines() if "cannot write results/" in line]
    assert named, text[-8000:]
    assert reason in named[0]


def replace(path: Path, change) -> None:
    """Let `change` write a new file, and replace this one with it."""
    other = path.with_suffix(".other")
    change(other)
    os.replace(other, path)


def with_nan(path: Path, draw: random.Random):
    """The name of a random weight, and a change that sets one of its values to NaN."""
    tensors = load_file(path)
    name = draw.choice(sorted(tensors))
    tensors[name].view(-1)[draw.randrange(tensors[name].numel())] = torch.nan
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
    return name, lambda other: save_file(tensors, other, metadata)


@pytest.fixture
def weights(fresh) -> tuple[Path, Path]:
    """The model's weights and a copy to restore them from, date included."""
    path = fresh.folder / MODEL
    kept = fresh.folder / "kept.safetensors"
    subprocess.run(["cp", "-p", str(path), str(kept)], check=True)
    return path, kept


def test_a_disk_that_fills_and_a_model_that_changes(
    fresh, undisturbed, weights, tally: Tally
):
    path, kept = weights
    draw = random.Random(0)

    def fails_after(moment: str, injure, kind: str, message: str) -> None:
        tally.inject(kind)
        run = Run(fresh, *TARGETS)
        assert run.wait_until((fresh.folder / moment).exists), run.text[-4000:]
        injure()
        text = run.wait()
        assert run.process.returncode != 0
        assert "Traceback" not in text, text[-8000:]
        assert re.search(message, text), text[-8000:]
        subprocess.run(["cp", "-p", str(kept), str(path)], check=True)

    with small_disk(fresh.folder / "results") as grow:
        fails_after(f"{STUDY}/problems.parquet", path.unlink, GONE, "resources/pocket")
        if grow is not None:
            fails_for_want_of_space(Run(fresh, *TARGETS), "No space left", FULL, tally)
            grow()
        fails_after(
            f"{STUDY}/traces.parquet",
            lambda: truncate(path, draw, unnoticed=True),
            CUT,
            # refused by the check before a job, or by a job that has started
            "resources/pocket: (model.safetensors is incomplete|damaged safetensors)",
        )
        run = Run(fresh, *TARGETS, limit=80_000)
        fails_for_want_of_space(run, "File too large", LIMITED, tally)
        name, change = with_nan(path, draw)
        log = f"{STUDY}/logs/activations/cache/1-of-2.log"
        (fresh.folder / log).unlink()
        fails_after(
            log,
            lambda: replace(path, change),
            NAN,
            f"weight {name} holds values that are not finite",
        )
        assert_complete(fresh, undisturbed)
    for kind in (GONE, FULL, CUT, LIMITED, NAN):
        tally.settle(kind, refused=tally.injected[kind])
