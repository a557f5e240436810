"""Thoughts and activations that two configs share are made once."""

import shutil

from doubletake.digests import file_digest
from doubletake.schemas.runs import RUNS
from doubletake.store import VARIABLE

TARGET = "results/pocket/pocket-problems/activations/index.parquet"


def run(checkout) -> dict[str, str]:
    """Make them; return their digests."""
    result = checkout.run(TARGET)
    assert result.returncode == 0, result.stdout[-6000:]
    return shared(checkout)


def shared(checkout) -> dict[str, str]:
    """Digests of the thoughts and activations."""
    folder = checkout.study()
    names = [
        *(f"traces/{k}-of-2.parquet" for k in (1, 2)),
        *(f"activations/{k}-of-2.safetensors" for k in (1, 2)),
    ]
    return {name: file_digest(folder / name) for name in names}


def generated(checkout) -> int:
    """Traces that were generated and not kept."""
    folder = checkout.study() / "traces"
    runs = [RUNS.read(folder / f"{k}-of-2.runs.parquet") for k in (1, 2)]
    return sum(table["traces"][0] for table in runs)


def logs(checkout) -> str:
    folder = checkout.study() / "logs/cache_activations"
    return "".join(path.read_text() for path in folder.iterdir())


def test_a_store_filled_elsewhere_serves(
    finished, fresh, filled_store, tmp_path, monkeypatch
):
    wanted = shared(finished)
    assert len(set(wanted.values())) == 4  # no shard stands for another
    assert generated(finished) == 12
    moved = tmp_path / "copied from another machine"
    shutil.copytree(filled_store, moved)
    monkeypatch.setenv(VARIABLE, str(moved))
    fresh.configure(lambda config: config["early_exit"].update(groups=[2, 3]))
    assert run(fresh) == wanted
    assert generated(fresh) == 0
    assert logs(fresh).count("taken from the store") == 2


def test_a_raised_limit_generates_only_the_new_problems(finished, rerun):
    rerun.configure(
        lambda config: config["datasets"]["pocket-problems"].update(limit=15)
    )
    result = rerun.run("results/pocket/pocket-problems/traces.parquet")
    assert result.returncode == 0, result.stdout[-6000:]
    assert generated(rerun) == 3
    assert generated(finished) == 12
