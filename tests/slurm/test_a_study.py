"""The default study on a cluster, through profiles/slurm."""

import re
from collections import Counter

import pytest
from checkouts import local_rules, rule_texts

pytestmark = pytest.mark.slurm


def planned(output: str) -> Counter[str]:
    """Jobs by rule, from Snakemake's own table."""
    table = output.partition("Job stats:")[2].partition("total")[0]
    rows = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
    return Counter({rule: int(count) for rule, count in rows})


def test_all_but_the_table_rules_are_jobs_on_both_nodes(study):
    remote, output = study
    expected = planned(output)
    for rule in [*local_rules(), "all"]:
        del expected[rule]
    jobs = remote.jobs()
    assert Counter(job.rule for job in jobs) == expected
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.node for job in jobs} == set(remote.cluster.nodes)


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
    assert {job.partition for job in remote.jobs()} == {"gpus"}
