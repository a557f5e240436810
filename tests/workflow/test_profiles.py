"""The profiles on different machines, and what rules must state for a cluster."""

import re
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import yte
from checkouts import ROOT, rule_texts


def profile(name: str) -> dict[str, Any]:
    """A profile as Snakemake reads it."""
    with open(ROOT / "profiles" / name / "config.yaml") as file:
        return yte.process_yaml(file, require_use_yte=True)


@pytest.mark.parametrize(
    ("visible", "sharing", "gpus"),
    [
        ("", None, 0),
        ("-1", None, 0),
        ("0", None, 2),
        ("2,3", None, 4),
        ("GPU-1b2c,GPU-3d4e", None, 4),
        ("0,1", "3", 8),
    ],
)
def test_gpus_of_a_workstation_are_counted(monkeypatch, visible, sharing, gpus):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    monkeypatch.delenv("DOUBLETAKE_JOBS_PER_GPU", raising=False)
    if sharing:
        monkeypatch.setenv("DOUBLETAKE_JOBS_PER_GPU", sharing)
    assert profile("default")["resources"] == {"gpu": gpus}


def test_partition_and_account_are_the_users(monkeypatch):
    monkeypatch.delenv("SBATCH_PARTITION", raising=False)
    monkeypatch.delenv("SBATCH_ACCOUNT", raising=False)
    without = profile("slurm")["default-resources"]
    assert without.keys() == {"mem_mb", "runtime"}
    monkeypatch.setenv("SBATCH_PARTITION", "gpu-long")
    monkeypatch.setenv("SBATCH_ACCOUNT", "4711")
    own = profile("slurm")["default-resources"]
    assert own["slurm_partition"] == "'gpu-long'"
    assert own["slurm_account"] == "'4711'"  # a text, not a number


def test_slurm_starts_jobs_again_only_where_that_is_wished(monkeypatch):
    monkeypatch.delenv("SBATCH_REQUEUE", raising=False)
    assert profile("slurm")["slurm-no-requeue"] is True
    monkeypatch.setenv("SBATCH_REQUEUE", "1")
    wished = profile("slurm")
    assert wished["slurm-requeue"] is True
    assert "slurm-no-requeue" not in wished


@pytest.mark.parametrize(("status", "command"), [(0, "sacct"), (1, "squeue")])
def test_jobs_are_looked_up_where_they_are_recorded(
    monkeypatch, tmp_path, status, command
):
    sacct = tmp_path / "sacct"
    sacct.write_text(f"#!/bin/sh\nexit {status}\n")
    sacct.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert profile("slurm")["slurm-status-command"] == command


@pytest.mark.parametrize("rule", rule_texts())
def test_a_rule_is_local_or_asks_for_more_after_a_failure(rule):
    text = rule_texts()[rule]
    if "localrule: True" in text or "default_target: True" in text:
        return
    for resource in ("mem_mb", "runtime"):
        found = re.search(rf"^ +{resource}=(.*)", text, re.MULTILINE)
        assert found, f"{rule}: neither localrule nor {resource}"
        assert "growing(" in found[1] or "attempt" in found[1], f"{rule}: {resource}"


@pytest.mark.parametrize("rule", rule_texts())
def test_a_rule_does_not_retry_by_itself(rule):
    """Retries of a rule would multiply with those of the profile."""
    assert "retries:" not in rule_texts()[rule]


def test_with_one_gpu_one_job_more_starts_up_and_the_others_queue(fresh, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")

    def configure(config):
        config["models"]["pocket"].update(device="auto")
        config["generation"].update(max_new_tokens=2)
        config["shards"] = 3

    fresh.configure(configure)
    traces = "results/pocket/pocket-problems/traces.parquet"
    result = fresh.run("--cores", "3", traces)
    assert result.returncode == 0, result.stdout[-8000:]
    said = re.findall(r"Thoughts of .* shard|Rule: generate_traces", result.stdout)
    running = list(accumulate(1 if text[:4] == "Thou" else -1 for text in said))
    assert len(said) == 6
    assert max(running) == 2


def test_no_partition_or_account_is_tracked():
    for path in Path(ROOT / "profiles").rglob("*"):
        if path.is_file():
            assert not re.search(r"slurm_(partition|account): *\w", path.read_text()), (
                path
            )
