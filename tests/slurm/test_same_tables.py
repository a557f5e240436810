"""The default study on a cluster and on this machine: the last test, which waits."""

import pytest
from checkouts import Checkout

pytestmark = pytest.mark.slurm

LIMIT = 600  # seconds


def tables(checkout: Checkout) -> dict[str, bytes]:
    """Every file of tables or tensors, but those of what it cost, by name."""
    results = checkout.folder / "results"
    files = [*results.rglob("*.parquet"), *results.rglob("*.safetensors")]
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in files
        if not path.name.endswith("runs.parquet")
    }


def test_tables_are_those_of_a_local_run(study, started_here):
    remote, _ = study
    local, run = started_here
    assert run.wait(LIMIT) == 0, (local.folder / "output").read_text()[-8000:]
    ours, theirs = tables(remote), tables(local)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
