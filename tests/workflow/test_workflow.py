"""The workflow as a whole, on the pocket model."""

import json
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from polars.testing import assert_frame_equal
from reruns import planned

from activations.tables import ACTIVATION_INDEX
from attention.tables import ATTENTION
from attribution.tables import ATTRIBUTION, ATTRIBUTION_CELLS
from detector.tables import DETECTOR_SCORES
from doubletake.study.registry import experiments, stages_with
from doubletake.tables.verification import VERIFICATION
from early_exit.tables import EARLY_EXIT
from events.tables import EVENTS
from problems.tables import PROBLEMS
from traces.tables import TRACES

FIGURES = ["confidence", "accuracy", "calibration"]
CHAIN = {
    "problems.parquet": PROBLEMS,
    "traces.parquet": TRACES,
    "events.parquet": EVENTS,
    "activations/index.parquet": ACTIVATION_INDEX,
    "early_exit.parquet": EARLY_EXIT,
    "attribution.parquet": ATTRIBUTION,
    "attribution/cells.parquet": ATTRIBUTION_CELLS,
    "attention.parquet": ATTENTION,
}


def assert_same_tables(ours: Path, theirs: Path) -> None:
    """Assert equal ids, texts and answers, and equal numbers up to float32 rounding."""
    for name, table in CHAIN.items():
        order = ["trace", "event", "token"] if "index" in name else []
        a, b = table.read(ours / name), table.read(theirs / name)
        if order:  # file and row of a position may differ
            a, b = (t.sort(order).select(order) for t in (a, b))
        assert_frame_equal(a, b, abs_tol=1e-3, rel_tol=0)


def test_end_to_end(finished):
    study = finished.study()
    for name, table in CHAIN.items():
        assert table.read(study / name).height > 0, name
    for figure in FIGURES:
        assert "<svg" in (study / f"early_exit/{figure}.svg").read_text()
    scores = DETECTOR_SCORES.read(finished.folder / "results/detector/scores.parquet")
    assert (scores.filter(detector="rules")["f1"] >= 0.99).all()
    page = (finished.folder / "results/report.html").read_text()
    assert "resources/pocket/labelled_traces.jsonl" in page
    assert page.rstrip().endswith("</html>")


def test_every_check_is_within_its_bound(finished):
    bounds = 0
    for stage in stages_with(VERIFICATION):
        path = finished.study() / VERIFICATION.file(stage.name)
        bounded = VERIFICATION.read(path).drop_nulls(["bound", "value"])
        assert (bounded["value"] <= bounded["bound"]).all(), bounded
        bounds += bounded.height
    assert bounds >= len(stages_with(VERIFICATION))


def test_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in finished.ask().stdout


def test_no_result_lies_outside_results(finished):
    made = {path.name for path in finished.folder.iterdir()} - {".snakemake"}
    assert made == {
        "Snakefile",
        "config",
        "envs",
        "profiles",
        "resources",
        "results",
        "rules",
        "workflow",
    }


def test_shards_and_batch_size_change_no_table(finished, fresh):
    def other(config: dict[str, Any]) -> None:
        config["shards"] = 1
        config["generation"]["batch_size"] = 1
        config["batch_memory"] = 0.002

    fresh.configure(other)
    result = fresh.run(*(f"results/pocket/pocket-problems/{name}" for name in CHAIN))
    assert result.returncode == 0, result.stdout[-8000:]
    assert_same_tables(fresh.study(), finished.study())


def test_a_figure_can_be_the_target(rerun):
    target = "results/pocket/pocket-problems/early_exit/confidence.svg"
    (rerun.folder / target).unlink()
    assert planned(rerun, target) == ["plot_early_exit"]


def test_an_experiment_can_be_the_target(rerun):
    for path in rerun.study().glob("*/*.svg"):
        path.unlink()
    for experiment in experiments():
        name = experiment.name
        assert set(planned(rerun, name)) == {name, f"plot_{name}"}
    result = rerun.run(*(experiment.name for experiment in experiments()))
    assert result.returncode == 0, result.stdout[-4000:]
    for experiment in experiments():
        made = {path.stem for path in (rerun.study() / experiment.name).glob("*.svg")}
        assert made == {figure.name for figure in experiment.figures}


def test_a_missing_table_is_made_anew(rerun):
    (rerun.study() / "attention.parquet").unlink()
    assert "merge_attention" in planned(rerun, "attention")
    (rerun.study() / "logit_lens.parquet").unlink()
    (rerun.folder / "results/detector/mistakes.parquet").unlink()
    made = {"merge_attention", "measure_logit_lens", "score_detector"}
    assert made <= set(planned(rerun))


def test_the_manifest_lists_what_the_rules_of_the_study_leave(finished):
    manifest = finished.study() / "manifest.json"
    listed = set(json.loads(manifest.read_text())["outputs"])
    target = str(manifest.relative_to(finished.folder))
    summary = finished.ask("--summary", target).stdout
    folder = target.removesuffix("manifest.json")
    left = set(re.findall(rf"^{folder}(\S+)\t", summary, re.MULTILINE))
    assert listed < left
    shards = {name for name in left if re.search(r"/\d+-of-\d+\.", name)}
    assert left - shards - listed == {"manifest.json"}


def test_the_manifest_lists_what_the_rules_of_the_study_read(finished):
    manifest = finished.study() / "manifest.json"
    target = str(manifest.relative_to(finished.folder))
    summary = finished.ask("--detailed-summary", target).stdout
    columns = [line.split("\t") for line in summary.splitlines() if "\t" in line]
    place = columns[0].index("input-file(s)")
    read = {path for row in columns[1:] for path in row[place].split(",")}
    sources = {path for path in read if path and not path.startswith("results/")}
    assert sources == set(json.loads(manifest.read_text())["inputs"])


def test_a_study_and_the_report_can_be_targets(rerun):
    (rerun.folder / "results/report.html").unlink()
    assert planned(rerun, "report") == ["report", "write_report"]
    manifest = "results/pocket/pocket-problems/manifest.json"
    (rerun.folder / manifest).unlink()
    assert planned(rerun, manifest) == ["write_manifest"]


def test_what_was_made_is_readable(finished, rerun):
    summary = finished.ask("--summary").stdout
    rows = [line.split("\t") for line in summary.splitlines() if "\t" in line]
    head, *rows = rows
    assert {row[head.index("status")] for row in rows} == {"ok"}
    assert {row[head.index("plan")] for row in rows} == {"no update"}
    assert len(rows) > len(experiments()) * 4
    graph = finished.ask("--rulegraph").stdout
    rules = re.findall(r'label = "(\w+)"', graph)
    assert len(rules) == len(set(rules))
    assert {f"plot_{experiment.name}" for experiment in experiments()} < set(rules)
    (rerun.study() / "early_exit/confidence.svg").unlink()
    lines = rerun.ask("-n").stdout.splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) < 400


def test_lint_is_clean(finished):
    result = finished.ask("--lint")
    assert result.returncode == 0, result.stdout


def test_snakemake_report(rerun):
    result = rerun.run("--report", "report.zip")
    assert result.returncode == 0, result.stdout
    assert "(ERROR/" not in result.stdout
    with ZipFile(rerun.folder / "report.zip") as report:
        pages = b"".join(report.read(name) for name in report.namelist())
    assert b"system-message" not in pages
    for experiment in experiments():
        for figure in experiment.figures:
            assert figure.title.encode() in pages, figure.title
