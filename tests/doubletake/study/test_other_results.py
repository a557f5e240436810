"""The folder of a run by the published recipe, as the config names it."""

import pytest

from doubletake.running.errors import InputError
from doubletake.study.other_results import published_run


def named(value):
    return {"reproduction": {"published_recipe": value}}


def test_a_folder_is_named_or_none(tmp_path, monkeypatch):
    assert published_run(named(None)) is None
    assert published_run(named(str(tmp_path))) == str(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    assert published_run(named(f"~/{tmp_path.name}")) == str(tmp_path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gone", r"no such folder: .*gone \(make it with --configfile"),
        ("with{brace", "special meaning for Snakemake"),
    ],
)
def test_a_wrong_folder_is_refused_by_its_key(tmp_path, name, words):
    (tmp_path / "with{brace").mkdir()
    with pytest.raises(InputError, match=words) as refused:
        published_run(named(str(tmp_path / name)))
    assert str(refused.value).startswith("reproduction.published_recipe: ")
