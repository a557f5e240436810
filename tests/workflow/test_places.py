"""The workflow runs from any folder, and as a module of another workflow."""

from pathlib import Path

import pytest
import starts
from reruns import documented, jobs, planned

from detector.tables import DETECTOR_SCORES

KEY = "early_exit.max_answer_tokens"
NESTED = "early_exit={max_answer_tokens: 5}"


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A folder that is not the workflow's."""
    folder = tmp_path / "else where"
    folder.mkdir()
    return folder


def start(checkout, folder: Path, *arguments: str):
    """Ask Snakemake in a folder."""
    options = ["--cores", "2", *arguments]
    return starts.start(options, folder, checkout.environment())


def caller(folder: Path, checkout, *lines: str) -> None:
    """Write a workflow that uses this one as a module."""
    (folder / "Snakefile").write_text(
        "\n".join(
            [
                "module doubletake:",
                f'    snakefile: "{checkout.folder}/Snakefile"',
                *(f"    {line}" for line in lines),
                "",
                "use rule * from doubletake as dt_*",
                "",
            ]
        )
    )


def test_defaults_and_resources_are_the_workflows(
    fresh, elsewhere, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    snakefile = ["-s", str(fresh.folder / "Snakefile")]
    where = ["--config", NESTED, "results=~/my results"]
    target = str(tmp_path / "home/my results/detector/scores.parquet")
    result = start(fresh, elsewhere, target, *snakefile, *where)
    assert result.returncode == 0, result.stdout[-4000:]
    assert DETECTOR_SCORES.read(target).height > 0
    assert [path.name for path in elsewhere.iterdir()] == [".snakemake"]
    # The folder's own config changes the defaults, and the command line changes both.
    (elsewhere / "config").mkdir()
    (elsewhere / "config/config.yaml").write_text("shards: 3\nbatch_memory: 0.2\n")
    plan = start(fresh, elsewhere, "-n", *snakefile, "--config", "batch_memory=big")
    assert "config: batch_memory: 'big' is not a number" in plan.stdout
    assert f"changed by {elsewhere}/config/config.yaml" in plan.stdout
    plan = start(fresh, elsewhere, "-n", *snakefile)
    assert jobs(plan.stdout)["measure_early_exit"] == 3


def test_results_stay_valid_when_snakemake_starts_elsewhere(rerun, elsewhere):
    link = elsewhere / "link"
    link.symlink_to(rerun.folder)
    for place in (rerun.folder, link):
        options = ["-n", "-s", str(place / "Snakefile"), "-d", str(place)]
        result = start(rerun, elsewhere, *options)
        assert "Nothing to be done" in result.stdout, result.stdout[-4000:]
    assert planned(rerun, "--config", NESTED) == documented()[f"config key `{KEY}`"]


def test_a_module_with_a_config_of_its_own(fresh, elsewhere):
    caller(elsewhere, fresh, 'config: {"results": "out", "shards": 3}')
    result = start(fresh, elsewhere, "-n")
    assert jobs(result.stdout)["dt_measure_early_exit"] == 3
    assert not list(elsewhere.glob("results"))
    target = "out/detector/scores.parquet"
    result = start(fresh, elsewhere, target)
    assert result.returncode == 0, result.stdout[-4000:]
    assert DETECTOR_SCORES.read(elsewhere / target).height > 0
    (elsewhere / "Snakefile").unlink()
    caller(elsewhere, fresh, "pathvars:", '    results="other"')
    result = start(fresh, elsewhere, "-n", "other/pocket/pocket-problems/manifest.json")
    assert "dt_write_manifest" in jobs(result.stdout)
    assert (
        "Missing output files: other/pocket/pocket-problems/problems.parquet"
        in result.stdout
    )
    (elsewhere / "Snakefile").unlink()
    caller(elsewhere, fresh, 'prefix: "dt"')
    result = start(fresh, elsewhere, "-n")
    assert result.returncode != 0
    assert "set the folder of the results in its config, as `results`" in result.stdout


def test_used_as_a_module_08(fresh, elsewhere, data_folder):
    text = (data_folder / "cases/08-used-as-a-module/Snakefile").read_text()
    assert "REPOSITORY" in text
    path = elsewhere / "Snakefile"
    path.write_text(text.replace("REPOSITORY", str(fresh.folder)))
    result = start(fresh, elsewhere, "-n")
    ours = {f"dt_{rule}" for rule in [*planned(fresh), "all"]}
    assert jobs(result.stdout).keys() == ours
