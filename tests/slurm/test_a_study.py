"""The default study on a cluster, through profiles/slurm."""

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from checkouts import Checkout, local_rules, rule_texts
from remote import few

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def runs(new_remote, tmp_path_factory):
    """The same study twice: on the cluster, and beside it on this machine."""
    remote = new_remote("a-study")
    remote.variables["SBATCH_PARTITION"] = "gpus"
    local = Checkout.new(tmp_path_factory.mktemp("local") / "checkout")
    local.configure(few)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda checkout: checkout.run(), [remote, local]))
    for result in results:
        assert result.returncode == 0, result.stdout[-8000:]
    return remote, local, results[0].stdout


def planned(output: str) -> Counter[str]:
    """Jobs by rule, from Snakemake's own table."""
    table = output.partition("Job stats:")[2].partition("total")[0]
    rows = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
    return Counter({rule: int(count) for rule, count in rows})


def tables(checkout: Checkout) -> dict[str, bytes]:
    """Every file of tables or tensors, but those of what it cost, by name."""
    results = checkout.folder / "results"
    files = [*results.rglob("*.parquet"), *results.rglob("*.safetensors")]
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in files
        if not path.name.endswith("runs.parquet")
    }


def test_all_but_the_table_rules_are_jobs_on_both_nodes(runs):
    remote, _, output = runs
    expected = planned(output)
    for rule in [*local_rules(), "all"]:
        del expected[rule]
    jobs = remote.jobs()
    assert Counter(job.rule for job in jobs) == expected
    assert {job.state for job in jobs} == {"COMPLETED"}
    assert {job.node for job in jobs} == set(remote.cluster.nodes)


def test_jobs_ask_for_what_their_rules_say(runs):
    remote, _, _ = runs
    jobs = remote.jobs()
    texts = rule_texts()
    assert len({job.rule for job in jobs if job.gpus}) > 6
    for job in jobs:
        amount = re.search(r"mem_mb=growing\((\d+)\)", texts[job.rule])
        time = re.search(r"runtime=growing\((\d+)\)", texts[job.rule])
        assert job.gpus == ("gpu=gpus" in texts[job.rule]), job
        assert (job.memory, job.minutes) == (int(amount[1]), int(time[1])), job


def test_the_users_partition_is_used(runs):
    remote, _, _ = runs
    assert {job.partition for job in remote.jobs()} == {"gpus"}


def test_tables_are_those_of_a_local_run(runs):
    remote, local, _ = runs
    ours, theirs = tables(remote), tables(local)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
