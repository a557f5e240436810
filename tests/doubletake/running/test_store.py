"""The shared store: entries come out unchanged, or not at all."""

import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from doubletake.running import store as store_module
from doubletake.running.errors import InputError
from doubletake.running.store import VARIABLE, Store


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


def everything_in(store) -> list[str]:
    """Names of the folders in the store."""
    return [path.name for path in store.folder.rglob("*") if path.is_dir()]


def test_what_is_kept_is_fetched(store, files, tmp_path):
    store.keep("kind", "key", files)
    out = targets(tmp_path, files)
    assert store.fetch("kind", "key", out)
    for name, path in out.items():
        assert path.read_text() == files[name].read_text()
    assert not store.fetch("kind", "other", out)
    assert not store.fetch("other", "key", out)
    assert not store.fetch("kind", "key", out | {"c": tmp_path / "c"})


def test_a_study_that_is_made_again_does_not_change_the_store(store, files, tmp_path):
    """Results are replaced by new files, so linked entries stay unchanged."""
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
    (store.folder / "kind/key/contents.json").write_text("{")
    store.keep("kind", "key", files)
    assert everything_in(store) == ["kind", "key"]


def theirs(tmp_path) -> dict[str, Path]:
    """Files that another machine made for the same key: undamaged, but not equal."""
    (tmp_path / "theirs").mkdir()
    made = {name: tmp_path / "theirs" / name for name in ("a", "b")}
    for name, path in made.items():
        path.write_text(f"their {name}")
    return made


def before_call(monkeypatch, owner, function, act, number=1):
    """Call `act` just before the n-th call of a function."""
    original = getattr(owner, function)
    calls = []

    def called(*args):
        calls.append(args)
        if len(calls) == number:
            monkeypatch.setattr(owner, function, original)
            act()
        return original(*args)

    monkeypatch.setattr(owner, function, called)


def test_of_two_writers_the_first_stays(store, files, tmp_path, monkeypatch):
    others = theirs(tmp_path)
    before_call(
        monkeypatch,
        store_module,
        "file_digest",  # of the draft, when there is no entry yet
        lambda: store.keep("kind", "key", others),
    )
    store.keep("kind", "key", files)
    out = targets(tmp_path, files)
    assert store.fetch("kind", "key", out)
    assert [path.read_text() for path in out.values()] == ["their a", "their b"]
    assert everything_in(store) == ["kind", "key"]


@pytest.mark.parametrize(
    ("renames", "text"), [(1, "their"), (2, "text of"), (3, "their")]
)
def test_of_two_that_replace_a_damaged_entry_one_stays(
    store, files, tmp_path, monkeypatch, renames, text
):
    """The other writer comes before, between or after the steps of the first."""
    others = theirs(tmp_path)
    (store.folder / "kind/key").mkdir(parents=True)
    (store.folder / "kind/key/a").write_text("half")
    out = targets(tmp_path, files)
    before_call(
        monkeypatch, os, "rename", lambda: store.keep("kind", "key", others), renames
    )
    store.keep("kind", "key", files)
    assert store.fetch("kind", "key", out)
    assert [path.read_text() for path in out.values()] == [f"{text} a", f"{text} b"]
    assert everything_in(store) == ["kind", "key"]


def link_then(monkeypatch, act):
    """Call `act` just after the next link, in the middle of a fetch."""
    original = os.link

    def link(source, target):
        monkeypatch.setattr(os, "link", original)
        original(source, target)
        act()

    monkeypatch.setattr(os, "link", link)


def test_an_entry_that_is_deleted_during_a_fetch_gives_no_files(
    store, files, tmp_path, monkeypatch
):
    store.keep("kind", "key", files)
    link_then(monkeypatch, lambda: shutil.rmtree(store.folder / "kind/key"))
    out = targets(tmp_path, files)
    assert not store.fetch("kind", "key", out)
    assert list((tmp_path / "out").iterdir()) == []


def test_two_entries_are_never_mixed(store, files, tmp_path, monkeypatch):
    store.keep("kind", "key", files)
    others = theirs(tmp_path)

    def replace():
        shutil.rmtree(store.folder / "kind/key")
        store.keep("kind", "key", others)

    link_then(monkeypatch, replace)
    out = targets(tmp_path, files)
    assert not store.fetch("kind", "key", out)
    assert list((tmp_path / "out").iterdir()) == []
    assert store.fetch("kind", "key", out)
    assert [path.read_text() for path in out.values()] == ["their a", "their b"]


def test_old_files_stay_if_a_fetch_fails(store, files, tmp_path):
    store.keep("kind", "key", files)
    files["b"].write_text("text of B")  # the same file as the entry's
    out = targets(tmp_path, files)
    out["a"].write_text("an earlier result")
    assert not store.fetch("kind", "key", out)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert out["a"].read_text() == "an earlier result"


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES])
def test_an_entry_that_cannot_be_read_is_a_warning(
    store, files, tmp_path, monkeypatch, caplog, code
):
    def fail(source, target):
        raise OSError(code, os.strerror(code))

    store.keep("kind", "key", files)
    monkeypatch.setattr(store_module, "link_or_copy", fail)
    assert not store.fetch("kind", "key", targets(tmp_path, files))
    assert list((tmp_path / "out").iterdir()) == []
    assert f"not taken from the store: {store.folder}/kind/key" in caplog.text
    assert os.strerror(code) in caplog.text


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_full_disk_is_not_taken_for_an_unusable_entry(
    store, files, tmp_path, monkeypatch, code
):
    def fail(source, target):
        raise OSError(code, os.strerror(code))

    store.keep("kind", "key", files)
    monkeypatch.setattr(store_module, "link_or_copy", fail)
    with pytest.raises(InputError, match=f"cannot write .*{os.strerror(code)}"):
        store.fetch("kind", "key", targets(tmp_path, files))
    assert list((tmp_path / "out").iterdir()) == []


def test_drafts_of_dead_jobs_are_removed(store, files):
    dead, living = (store.folder / name for name in (".draft-1", ".draft-2"))
    for draft in (dead, living):
        draft.mkdir(parents=True)
        (draft / "a").write_text("half")
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(dead, (two_days_ago, two_days_ago))
    store.keep("kind", "key", files)
    assert not dead.exists()
    assert (living / "a").exists()


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
