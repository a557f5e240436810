"""Commit, versions, machine and benchmarks of a run."""

import subprocess

import pytest

from doubletake.running.provenance import Provenance, benchmarks, commit_of


@pytest.fixture
def repository(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *identity, *arguments]
        subprocess.run(command, check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "first")
    return tmp_path


def test_the_commit_is_named_with_its_changes(repository):
    clean = commit_of(repository)
    assert len(clean) == 12
    (repository / "results").write_text("not tracked")
    assert commit_of(repository) == clean
    (repository / "file").write_text("two")
    assert commit_of(repository) == f"{clean} with uncommitted changes"


def test_a_folder_inside_another_repository_borrows_no_commit(repository):
    (repository / "copy").mkdir()
    assert commit_of(repository / "copy") == "unknown"


def test_without_a_repository_or_git_the_commit_is_unknown(tmp_path, monkeypatch):
    assert commit_of(tmp_path) == "unknown"
    monkeypatch.setenv("PATH", "")
    assert commit_of(tmp_path) == "unknown"


def test_versions_and_machine_are_stated(tmp_path):
    here = Provenance.here(tmp_path)
    assert {"python", "polars", "snakemake"} <= set(here.packages)
    assert "core" in here.machine
    assert here.written.endswith("UTC")


def test_benchmarks_are_summed_over_the_jobs_of_a_rule(tmp_path):
    (tmp_path / "stage/rule").mkdir(parents=True)
    (tmp_path / "stage/rule/1-of-2.tsv").write_text("s\tmax_rss\n1.5\t10.0\n")
    (tmp_path / "stage/rule/2-of-2.tsv").write_text("s\tmax_rss\n2.5\t30.0\n")
    (tmp_path / "stage/other.tsv").write_text("s\tmax_rss\n0.1\t-\n")
    (tmp_path / "stage/empty.tsv").write_text("")
    other, rule = benchmarks(tmp_path)
    assert (rule.stage, rule.script, rule.jobs) == ("stage", "rule", 2)
    assert (rule.seconds, rule.memory) == (4.0, 30.0)
    assert (other.script, other.jobs, other.memory) == ("other", 1, None)


def test_a_missing_folder_gives_no_benchmarks(tmp_path):
    assert benchmarks(tmp_path / "missing") == []
