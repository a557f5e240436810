"""The default study on a cluster, with profiles/slurm."""

import re
from collections import Counter

import pytest
from checkouts import Checkout, local_rules, rule_texts
from cluster import STUDY

pytestmark = pytest.mark.slurm


def planned(output: str) -> Counter[str]:
    """Jobs by rule, from Snakemake's own table."""
    table = output.partition("Job stats:")[2].partition("total")[0]
    rows = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
    return Counter({rule: int(count) for rule, count in rows})


def tables(checkout: Checkout) -> dict[str, bytes]:
    """Bytes of all tables and tensors, by name, without those that hold times."""
    results = checkout.folder / "results"
    files = [*results.rglob("*.parquet"), *results.rglob("*.safetensors")]
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in files
        if not path.name.endswith("runs.parquet")
        and not path.name.startswith("latency")
    }


def test_all_but_the_table_rules_are_jobs_on_both_nodes(study):
    remote, output = study
    expected = planned(output)
    for rule in [*local_rules(), "all"]:
        del expected[rule]
    jobs = remote.jobs()
    assert Counter(job.rule for job in jobs) == expected
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.node for job in jobs} == {"n3", "n4"}


def test_jobs_ask_for_what_their_rules_say(study):
    remote, _ = study
    jobs = remote.jobs()
    texts = rule_texts()
    assert len({job.rule for job in jobs if job.gpus}) > 6
    for job in jobs:
        amount = re.search(r"mem_mb=growing\((\d+)\)", texts[job.rule])
        time = re.search(r"runtime=growing\((\d+)\)", texts[job.rule])
        assert job.gpus == ("gpu=gpus" in texts[job.rule]), job
        assert (job.memory, job.minutes) == (int(amount[1]), int(time[1])), job


def test_the_users_partition_is_used(study):
    remote, _ = study
    assert {job.partition for job in remote.jobs()} == {STUDY}


def test_tables_are_those_of_a_local_run(study, local):
    remote, _ = study
    ours, theirs = tables(remote), tables(local)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
