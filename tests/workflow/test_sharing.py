"""Thoughts and activations that two configs share are made once."""

import shutil

import pytest

from doubletake.running.digests import file_digest
from doubletake.running.store import VARIABLE
from doubletake.tables.runs import RUNS

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
        *(f"traces/shards/{k}-of-2.traces.parquet" for k in (1, 2)),
        *(f"activations/{k}-of-2.safetensors" for k in (1, 2)),
    ]
    return {name: file_digest(folder / name) for name in names}


def generated(checkout) -> int:
    """Traces that were generated and not kept."""
    folder = checkout.study() / "traces/shards"
    runs = [RUNS.read(folder / f"{k}-of-2.runs.parquet") for k in (1, 2)]
    return sum(table["traces"][0] for table in runs)


def logs(checkout) -> str:
    folder = checkout.study() / "logs/activations/cache"
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


WORDS = [
    ("activations/cache.py", '"""One forward pass over', '"""Edited'),
    ("traces/generate.py", "logger =", "# Edited.\nlogger ="),
    ("doubletake/model/decoder.py", '"""The one adapter', '"""Edited. The one adapter'),
    ("traces/generation.py", "import numpy", "# Edited.\nimport numpy"),
]
DOUBLED = ("activations/cache.py", 'means(sums["resid"]', 'means(2 * sums["resid"]')
RESEEDED = ("traces/generate.py", "settings.seed)", "settings.seed + 1)")
WARMER = ("traces/sampling.py", "/ sampling.temp", "/ 2 / sampling.temp")


def edit(checkout, edits: list[tuple[str, str, str]]) -> None:
    """Replace a text of a script or module by another."""
    for name, old, new in edits:
        path = checkout.folder / "workflow/scripts" / name
        text = path.read_text()
        assert text.count(old) == 1, (name, old)
        path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("edits", "new_thoughts", "stored", "same"),
    [
        pytest.param(WORDS, 0, 2, {"traces", "activations"}, id="words"),
        pytest.param([DOUBLED], 0, 0, {"traces"}, id="script of the activations"),
        pytest.param([RESEEDED], 12, 0, set(), id="script of the thoughts"),
        pytest.param([WARMER], 12, 0, set(), id="module"),
    ],
)
def test_a_store_serves_no_other_code(
    finished,
    fresh,
    filled_store,
    tmp_path,
    monkeypatch,
    edits,
    new_thoughts,
    stored,
    same,
):
    monkeypatch.setenv(VARIABLE, str(shutil.copytree(filled_store, tmp_path / "store")))
    edit(fresh, edits)
    wanted, found = shared(finished), run(fresh)
    equal = {name for name in wanted if found[name] == wanted[name]}
    assert equal == {name for name in wanted if name.split("/")[0] in same}
    assert generated(fresh) == new_thoughts
    assert logs(fresh).count("taken from the store") == stored


@pytest.mark.parametrize(
    ("edits", "new_thoughts"), [(WORDS, 0), ([RESEEDED], 12), ([WARMER], 12)]
)
def test_thoughts_of_other_code_are_not_kept(rerun, edits, new_thoughts):
    edit(rerun, edits)
    result = rerun.run("results/pocket/pocket-problems/traces.parquet")
    assert result.returncode == 0, result.stdout[-6000:]
    assert generated(rerun) == new_thoughts
    notes = [
        RUNS.read(rerun.study() / f"traces/shards/{k}-of-2.runs.parquet")["note"][0]
        for k in (1, 2)
    ]
    assert all(("kept from an earlier run" in n) != bool(new_thoughts) for n in notes)


def test_a_raised_limit_generates_only_the_new_problems(finished, rerun):
    rerun.configure(
        lambda config: config["datasets"]["pocket-problems"].update(limit=15)
    )
    result = rerun.run("results/pocket/pocket-problems/traces.parquet")
    assert result.returncode == 0, result.stdout[-6000:]
    assert generated(rerun) == 3
    assert generated(finished) == 12
