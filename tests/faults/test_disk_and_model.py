"""A full disk, and a model that changes or goes while the study runs."""

import os
import random
import subprocess
import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from fault_tools import Run, Tally, assert_same, truncate
from safetensors import safe_open
from safetensors.torch import load_file, save_file

FULL, LIMITED = "full disk (tmpfs)", "full disk (largest file)"
GONE, CUT, NAN = "model file removed", "weights truncated", "NaN in a weight"
STUDY = "results/pocket/pocket-problems"
TARGETS = [f"{STUDY}/early_exit.parquet", f"{STUDY}/turns.parquet"]
MODEL = "resources/pocket/model.safetensors"


def assert_complete(checkout, undisturbed: dict[str, str]) -> None:
    """A run goes through, makes its targets, and all it made is byte-equal."""
    text = Run(checkout, *TARGETS).wait()
    for target in TARGETS:
        assert (checkout.folder / target).is_file(), text[-8000:]
    assert_same(checkout, undisturbed)


@contextmanager
def small_disk(folder: Path):
    """Mount a disk of 128 kB; yields what makes it large, None where none may mount."""
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


def test_a_full_disk_is_named_and_costs_nothing(fresh, undisturbed, tally: Tally):
    with small_disk(fresh.folder / "results") as grow:
        if grow is not None:
            fails_for_want_of_space(Run(fresh, *TARGETS), "No space left", FULL, tally)
            grow()
        run = Run(fresh, *TARGETS, limit=80_000)
        fails_for_want_of_space(run, "File too large", LIMITED, tally)
        assert_complete(fresh, undisturbed)
    for kind in (FULL, LIMITED):
        tally.settle(kind, refused=tally.injected[kind])


def fails_for_want_of_space(run: Run, reason: str, kind: str, tally: Tally) -> None:
    """The run fails, and a message says which file could not be written."""
    tally.inject(kind)
    text = run.wait()
    assert run.process.returncode != 0
    named = [line for line in text.splitlines() if "cannot write results/" in line]
    assert named, text[-8000:]
    assert reason in named[0]


def replace(path: Path, change) -> None:
    """Let `change` write another file, then put it in the place of this one."""
    other = path.with_suffix(".other")
    change(other)
    os.replace(other, path)


def with_nan(path: Path, draw: random.Random):
    """A change that sets one number of one weight to NaN, and the weight's name."""
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


def test_a_model_that_changes_under_a_run(fresh, undisturbed, weights, tally: Tally):
    path, kept = weights
    draw = random.Random(0)

    def restore() -> None:
        subprocess.run(["cp", "-p", str(kept), str(path)], check=True)

    def fails_after(moment: str, injure, *messages: str) -> None:
        run = Run(fresh, *TARGETS)
        assert run.wait_until((fresh.folder / moment).exists), run.text[-4000:]
        injure()
        text = run.wait()
        assert run.process.returncode != 0
        assert "Traceback" not in text, text[-8000:]
        for message in messages:
            assert message in text, text[-8000:]
        restore()

    tally.inject(GONE)
    fails_after(
        f"{STUDY}/problems.parquet",
        path.unlink,
        "resources/pocket",
    )
    tally.inject(CUT)
    fails_after(
        f"{STUDY}/traces.parquet",
        lambda: truncate(path, draw, unnoticed=True),
        "resources/pocket: damaged safetensors file",
    )
    name, change = with_nan(path, draw)
    tally.inject(NAN)
    fails_after(
        f"{STUDY}/logs/cache_activations/1-of-2.log",
        lambda: replace(path, change),
        f"weight {name} holds values that are not finite",
    )
    assert_complete(fresh, undisturbed)
    for kind in (GONE, CUT, NAN):
        tally.settle(kind, refused=1)
