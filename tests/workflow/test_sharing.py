"""Thoughts and activations that two configs share are computed once."""

import shutil

import pytest

from doubletake.running.digests import file_digest
from doubletake.running.store import VARIABLE
from doubletake.tables.runs import RUNS

THOUGHTS = "results/pocket/pocket-problems/traces.parquet"
ACTIVATIONS = "results/pocket/pocket-problems/activations/index.parquet"


def run(checkout, target: str = ACTIVATIONS) -> dict[str, str]:
    """Make thoughts and activations; return their digests."""
    result = checkout.run(target)
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
    """Number of traces that were generated and not kept from an earlier run."""
    folder = checkout.study() / "traces/shards"
    runs = [RUNS.read(folder / f"{k}-of-2.runs.parquet") for k in (1, 2)]
    return sum(table["traces"][0] for table in runs)


def kept(checkout) -> list[bool]:
    """For each shard, whether thoughts of an earlier run were kept."""
    folder = checkout.study() / "traces/shards"
    notes = [RUNS.read(folder / f"{k}-of-2.runs.parquet")["note"][0] for k in (1, 2)]
    return ["kept from an earlier run" in note for note in notes]


def stored(checkout) -> int:
    """Number of shards of activations that were taken from the store."""
    folder = checkout.study() / "logs/activations/cache"
    logs = "".join(path.read_text() for path in folder.iterdir())
    return logs.count("taken from the store")


WORDS = [
    ("activations/cache.py", '"""One forward pass over', '"""Edited'),
    ("traces/generate.py", "logger =", "# Edited.\nlogger ="),
    ("doubletake/model/decoder.py", '"""A Hugging Face decoder', '"""Edited'),
    ("doubletake/model/slots.py", "import numpy", "# Edited.\nimport numpy"),
]
DOUBLED = ("activations/cache.py", 'means(sums["resid"]', 'means(2 * sums["resid"]')
RESEEDED = ("traces/generate.py", "settings.seed)", "settings.seed + 1)")
WARMER = (
    "doubletake/model/token_sampling.py",
    "/ sampling.temp",
    "/ 2 / sampling.temp",
)


def edit(checkout, edits: list[tuple[str, str, str]]) -> None:
    """Replace texts in scripts or modules."""
    for name, old, new in edits:
        path = checkout.folder / "workflow/scripts" / name
        text = path.read_text()
        assert text.count(old) == 1, (name, old)
        path.write_text(text.replace(old, new))


def edit_words_and_settings(checkout) -> None:
    """Edit words and settings on which thoughts and activations do not depend."""
    edit(checkout, WORDS)
    checkout.configure(lambda config: config["early_exit"].update(groups=[2, 3]))


def test_a_store_filled_elsewhere_serves(
    finished, fresh, filled_store, tmp_path, monkeypatch
):
    wanted = shared(finished)
    assert len(set(wanted.values())) == 4  # every shard differs
    assert generated(finished) == 12
    moved = tmp_path / "copied from another machine"
    shutil.copytree(filled_store, moved)
    monkeypatch.setenv(VARIABLE, str(moved))
    edit_words_and_settings(fresh)
    assert run(fresh) == wanted
    assert generated(fresh) == 0
    assert stored(fresh) == 2


@pytest.mark.parametrize(
    ("change", "target", "same"),
    [
        pytest.param(DOUBLED, ACTIVATIONS, {"traces"}, id="script of the activations"),
        pytest.param(RESEEDED, ACTIVATIONS, set(), id="script of the thoughts"),
        pytest.param(WARMER, THOUGHTS, {"activations"}, id="module"),
    ],
)
def test_other_code_is_served_neither_by_a_store_nor_by_what_is_there(
    finished, rerun, filled_store, tmp_path, monkeypatch, change, target, same
):
    monkeypatch.setenv(VARIABLE, str(shutil.copytree(filled_store, tmp_path / "store")))
    edit(rerun, [change])
    wanted, found = shared(finished), run(rerun, target)
    equal = {name for name in wanted if found[name] == wanted[name]}
    assert equal == {name for name in wanted if name.split("/")[0] in same}
    assert generated(rerun) == 12
    assert kept(rerun) == [False, False]
    assert stored(rerun) == 0


def test_a_raised_limit_generates_only_the_new_problems(rerun):
    edit_words_and_settings(rerun)
    rerun.configure(
        lambda config: config["datasets"]["pocket-problems"].update(limit=15)
    )
    run(rerun, THOUGHTS)
    assert generated(rerun) == 3
    assert kept(rerun) == [True, True]
