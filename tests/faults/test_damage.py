"""Damaged files: a changed byte or a cut end, with and without a new date."""

import random
from dataclasses import fields
from pathlib import Path

import pytest
from checkouts import Checkout
from fault_counts import Tally
from fault_tools import (
    assert_same,
    differing,
    flip,
    named_for_deletion,
    truncate,
)
from safetensors import safe_open

from activations.reading import ActivationCache, Origin
from activations.shard_format import PER_ROW
from doubletake.running.errors import InputError

FLIP, CUT = "flipped byte", "truncated file"
STUDY = "results/pocket/pocket-problems"
REPORT = "results/report.html"
ROUNDS = [
    # Files that a round makes again, its other targets, and the files that it damages.
    (
        [f"{STUDY}/logit_lens.parquet"],
        [f"{STUDY}/logit_lens/layers.svg"],
        [f"{STUDY}/activations/1-of-2.safetensors", f"{STUDY}/turns.parquet"],
    ),
    (
        [
            f"{STUDY}/early_exit.parquet",
            f"{STUDY}/early_exit/shards/2-of-2.early_exit.parquet",
        ],
        [f"{STUDY}/early_exit/accuracy.svg"],
        [
            f"{STUDY}/early_exit/shards/1-of-2.early_exit.parquet",
            f"{STUDY}/traces.parquet",
            f"{STUDY}/events.parquet",
        ],
    ),
    (
        [REPORT],
        [],
        [
            f"{STUDY}/early_exit/confidence.svg",
            f"{STUDY}/attribution/runs.parquet",
            f"{STUDY}/manifest.json",
            "results/detector/scores.parquet",
            "results/exit_transfer/transfer.parquet",
            "results/reproduction/reproduction.parquet",
        ],
    ),
]


def run_as_told(checkout: Checkout, targets: list[str]) -> set[str]:
    """Run, delete the files that messages name, and repeat until the run succeeds.

    Returns:
        The files that messages named.
    """
    asked: set[str] = set()
    for _ in range(6):
        run = checkout.run(*targets)
        assert "Traceback" not in run.stdout, run.stdout[-8000:]
        if run.returncode == 0:
            return asked
        named = named_for_deletion(run.stdout)
        assert named, run.stdout[-8000:]
        for name in named:
            (checkout.folder / name).unlink()
        asked |= named
    raise AssertionError(f"no end: {asked}")


def read_whole(shard: Path) -> None:
    """Read all tensors of a shard of the cache."""
    with safe_open(shard, framework="pt") as file:
        metadata = file.metadata()
    origin = Origin(*(metadata[key.name] for key in fields(Origin)))
    paths = sorted(shard.parent.glob("*.safetensors"))
    cache = ActivationCache(shard.parent / "index.parquet", paths, origin)
    for name in PER_ROW:
        cache.read(name, cache.index)
    cache.means()


@pytest.mark.parametrize("number", range(len(ROUNDS)))
@pytest.mark.parametrize("unnoticed", [True, False], ids=["old date", "new date"])
def test_damage_is_named_or_mended(rerun, undisturbed, tally: Tally, number, unnoticed):
    draw = random.Random(f"{number} {unnoticed}")
    again, others, targets = ROUNDS[number]
    wanted = [*again, *others]
    for name in again:
        (rerun.folder / name).unlink()
    kinds = {}
    for place, name in enumerate(targets):
        kind, injure = ((FLIP, flip), (CUT, truncate))[(place + unnoticed) % 2]
        injure(rerun.folder / name, draw, unnoticed=unnoticed)
        tally.inject(kind)
        kinds[name] = kind
    asked = run_as_told(rerun, wanted)
    assert asked <= set(targets), "an undamaged file was called damaged"
    for name in differing(rerun, undisturbed):
        # Nothing has read the damaged bytes yet. A reader must notice them.
        assert name.endswith(".safetensors"), name
        with pytest.raises(InputError, match="is damaged"):
            read_whole(rerun.folder / f"results{name}")
        (rerun.folder / f"results{name}").unlink()
        run_as_told(rerun, [*wanted, f"results{name}"])
    assert_same(rerun, undisturbed)
    for kind in (FLIP, CUT):
        named = [name for name in asked if kinds[name] == kind]
        tally.settle(kind, refused=len(named))
