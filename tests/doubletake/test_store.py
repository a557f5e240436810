"""The shared store: what goes in comes out, or nothing does."""

import os

import pytest

from doubletake.store import VARIABLE, Store


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def files(tmp_path):
    found = {}
    for name in ("a", "b"):
        found[name] = tmp_path / f"{name}.txt"
        found[name].write_text(f"text of {name}")
    return found


def targets(tmp_path, files):
    (tmp_path / "out").mkdir(exist_ok=True)
    return {name: tmp_path / "out" / name for name in files}


def test_what_is_kept_is_fetched(store, files, tmp_path):
    store.keep("kind", "key", files)
    out = targets(tmp_path, files)
    assert store.fetch("kind", "key", out)
    for name, path in out.items():
        assert path.read_text() == files[name].read_text()
    assert not store.fetch("kind", "other", out)
    assert not store.fetch("other", "key", out)
    assert not store.fetch("kind", "key", out | {"c": tmp_path / "c"})


def test_a_study_that_is_made_anew_leaves_the_store_alone(store, files, tmp_path):
    """Results are replaced, not written into: linked entries stay as they were."""
    store.keep("kind", "key", files)
    partial = tmp_path / "new"
    partial.write_text("something else")
    os.replace(partial, files["a"])
    out = targets(tmp_path, files)
    assert store.fetch("kind", "key", out)
    assert out["a"].read_text() == "text of a"


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / "a").unlink(),
        lambda entry: (entry / "a").write_text("text of A"),
        lambda entry: (entry / "contents.json").write_text("{"),
        lambda entry: (entry / "contents.json").write_text('{"a": 1}'),
        lambda entry: (entry / "contents.json").unlink(),
    ],
)
def test_a_damaged_entry_is_not_used_and_is_replaced(store, files, tmp_path, damage):
    store.keep("kind", "key", files)
    damage(store.folder / "kind/key")
    files["a"].unlink()  # it may be the same file as the entry's
    files["a"].write_text("text of a")
    out = targets(tmp_path, files)
    assert not store.fetch("kind", "key", out)
    store.keep("kind", "key", files)
    assert store.fetch("kind", "key", out)
    assert out["a"].read_text() == "text of a"


def test_no_draft_is_left(store, files):
    store.keep("kind", "key", files)
    store.keep("kind", "key", files)
    assert [path.name for path in (store.folder / "kind").iterdir()] == ["key"]


def test_without_a_folder_nothing_happens(files, tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    store = Store.here()
    store.keep("kind", "key", files)
    assert not store.fetch("kind", "key", targets(tmp_path, files))
    assert list(store.entries("kind", "a")) == []


def test_a_store_that_cannot_be_written_stops_nothing(files, tmp_path, caplog):
    (tmp_path / "blocked").write_text("no folder")
    Store(tmp_path / "blocked").keep("kind", "key", files)
    assert "not stored" in caplog.text


def test_entries_of_a_kind_are_listed(store, files):
    store.keep("kind", "one", files)
    store.keep("kind", "two", files)
    (store.folder / "kind/two/a").unlink()
    found = [path.parent.name for path in store.entries("kind", "a")]
    assert found == ["one"]
