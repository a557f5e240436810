"""Probes from the cache to figures and sentences of the page, on a tiny study."""

from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from sklearn.metrics import roc_auc_score
from tiny_architectures import ARCHITECTURES, settings_of
from tiny_turns import write_turns_study

from activations.reading import ActivationCache, Origin
from activations.tables import ACTIVATION_INDEX
from doubletake.model.checkpoint import Checkpoint
from doubletake.model.hooks import record
from doubletake.model.loading import load_decoder
from doubletake.page.study_data import StudyData
from doubletake.running.errors import InputError
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from doubletake.stats.intervals import IntervalSettings
from doubletake.stats.verification import Largest, Verification
from doubletake.study.shards import shard_names
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from matches.reading import cases_of
from matches.tables import MATCHES
from probing import measure as probing
from probing import plot as plot_probing
from probing import summarise as summarise_probing
from probing.boundary_probes import ShardResults, fits_per_probe, probes_to_refit
from probing.page import SECTION
from probing.reading import GAP_SUFFIX, merge_directions, read_directions
from probing.tables import PROBING, PROBING_CONTRASTS, PROBING_SCORES
from shards.merge import merge

SETTINGS = probing.Settings(
    [0.01, 0.1],
    folds=3,
    inner_folds=2,
    shuffles=2,
    seed=0,
    verification=Verification(share=0.1, minimum=1, seed=0),
    least_problems=3,
)
INTERVALS = IntervalSettings(least_problems=3)
FILES = ("events_path", "index_path", "cache_paths")


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    study = write_turns_study(tmp_path_factory.mktemp("probing"), model)
    return study


def run(study, shards=1):
    folder = study.folder / f"of-{shards}"
    folder.mkdir(exist_ok=True)
    for shard in shard_names(shards):
        probing.main(
            **{name: study.files[name] for name in FILES},
            matches_path=study.matches_path,
            scores_path=folder / f"{shard}.parquet",
            directions_path=folder / f"{shard}.safetensors",
            verification_path=folder / f"{shard}.verification.parquet",
            runs_path=folder / f"{shard}.runs.parquet",
            shard=shard,
            model=study.model,
            settings=SETTINGS,
        )
    parts = [PROBING_SCORES.read(folder / f"{k}.parquet") for k in shard_names(shards)]
    merge_directions(
        [folder / f"{k}.safetensors" for k in shard_names(shards)],
        folder / "directions.safetensors",
    )
    return merge(PROBING_SCORES, parts)


@pytest.fixture(scope="module")
def scores(study):
    return run(study)


@pytest.fixture(scope="module")
def tables(study):
    return (
        MATCHES.read(study.matches_path),
        ACTIVATION_INDEX.read(study.files["index_path"]),
    )


@pytest.fixture(scope="module")
def summary(scores):
    return summarise_probing.summarise(scores, INTERVALS, seed=0)


@pytest.fixture(scope="module")
def contrasts(tables):
    return summarise_probing.contrast_rows(
        *tables, SETTINGS.folds, SETTINGS.least_problems
    )


def test_shards_change_nothing(study, scores):
    assert_frame_equal(run(study, 3), scores, abs_tol=1e-9)
    origin = asdict(Origin.of(study.model, study.files["events_path"]))
    one, three = (
        read_directions(study.folder / f"of-{k}/directions.safetensors", origin)
        for k in (1, 3)
    )
    assert one.vectors.keys() == three.vectors.keys()
    for name, vectors in one.vectors.items():
        np.testing.assert_allclose(vectors, three.vectors[name], atol=1e-6)
        np.testing.assert_allclose(
            one.mean_gaps[name], three.mean_gaps[name], atol=1e-6
        )


def test_no_problem_is_scored_by_a_probe_that_knows_it(scores):
    folds = scores.group_by("contrast", "problem").agg(pl.col("fold").n_unique())
    assert (folds["fold"] == 1).all()
    assert scores["fold"].n_unique() == SETTINGS.folds


def test_directions_are_unit_vectors_from_class_to_class(study, scores, tables):
    origin = Origin.of(study.model, study.files["events_path"])
    path = study.folder / "of-1/directions.safetensors"
    directions = read_directions(path, asdict(origin))
    cache = ActivationCache(
        study.files["index_path"], study.files["cache_paths"], origin
    )
    assert sorted(directions.vectors) == sorted(scores["contrast"].unique())
    for name, vectors in directions.vectors.items():
        assert vectors.shape == (cache.n_layers + 1, cache.d_model)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
        cases = cases_of(CONTRAST_BY_NAME[name], *tables)
        labels = cases["label"].to_numpy()
        rows = cache.read("resid", cases, layer=2).double().numpy() @ vectors[2]
        gap = rows[labels].mean() - rows[~labels].mean()
        assert directions.mean_gaps[name][2] == pytest.approx(gap, abs=1e-5)
        assert gap > 0
    assert GAP_SUFFIX not in "".join(directions.vectors)


def test_directions_of_other_events_are_refused(study, scores):
    origin = Origin.of(study.model, study.files["events_path"])
    path = study.folder / "of-1/directions.safetensors"
    with pytest.raises(InputError, match="events is"):
        read_directions(path, asdict(replace(origin, events="0" * 64)))
    path.with_name("broken").write_bytes(b"nothing")
    with pytest.raises(InputError, match="broken"):
        read_directions(path.with_name("broken"), asdict(origin))


def test_a_contrast_with_too_few_problems_is_left_out_by_name(study, scores, contrasts):
    assert "right_arrival" not in set(scores["contrast"])
    note = RUNS.read(study.folder / "of-1/1-of-1.runs.parquet")["note"][0]
    assert "right arrival against wrong arrival: 0 matched pair(s)" in note
    (row,) = (
        PROBING_CONTRASTS.check(contrasts).filter(contrast="right_arrival").to_dicts()
    )
    assert row["left_out"] in note


def test_no_probe_is_fitted_that_would_have_no_interval(tables):
    """One number decides what is fitted and what is called not checked."""
    few = replace(SETTINGS, least_problems=4)
    fitted, reasons = probing.probed_contrasts(*tables, few)
    assert fitted == {}
    rows = summarise_probing.contrast_rows(*tables, few.folds, few.least_problems)
    assert rows["left_out"].to_list() == reasons
    assert all("fewer than 4" in reason for reason in reasons)


def test_rotated_fits_are_checked(study, scores):
    checks = VERIFICATION.read(study.folder / "of-1/1-of-1.verification.parquet")
    rotated = checks.filter(statistic="largest difference of scores").to_dicts()[0]
    assert rotated["n"] > 0  # 18 cases of 32 numbers
    assert rotated["value"] <= rotated["bound"]


def test_refitted_probes_keep_to_their_share_and_minimum():
    cases = {
        name: pl.DataFrame({"case": range(n)}) for name, n in (("a", 10), ("b", 20))
    }
    cases["c"] = pl.DataFrame({"case": range(50)})
    plan, boundaries = SETTINGS.plan, [0, 2, 4]
    share = 0.05
    refits = probes_to_refit(cases, boundaries, 32, plan, Verification(share, 1, 0))
    newton = {
        name: 10 * (part.height * 32**2 + 32**3 // 3) for name, part in cases.items()
    }
    rotated = sum(
        (plan.folds + 1) * n * 32 * min(n, 32)
        + fits_per_probe(plan) * 200 * n * min(n, 32)
        for n in (part.height for part in cases.values())
    )
    cost = sum(newton[str(name)] for name, _ in refits)
    assert share * 3 * rotated - max(newton.values()) < cost <= share * 3 * rotated
    assert 1 < len(refits) < 9
    everything = Verification(1.0, 10**6, 0)
    assert len(probes_to_refit(cases, boundaries, 32, plan, everything)) == 9


def test_the_fits_of_the_plan_are_those_that_are_made(study, scores):
    """Every contrast has enough problems for its inner folds, so that all are made."""
    checks = VERIFICATION.read(study.folder / "of-1/1-of-1.verification.parquet")
    fits = checks.filter(statistic="share of fits stopped early")["n"].item()
    probes = scores.select("contrast", "features", "boundary").n_unique()
    assert fits == probes * (fits_per_probe(SETTINGS.plan) - 1)


def test_a_wrong_rotation_exceeds_its_bound():
    results = ShardResults(difference=Largest(0.5, 3), fits=10, stopped=1)
    values = results.verification()
    assert (values["value"] > values["bound"]).all()


def test_figures_are_those_of_scikit_learn(scores, summary):
    PROBING.check(summary)
    row = summary.filter(contrast="backtrack_control", boundary=2).to_dicts()[0]
    part = scores.filter(
        contrast="backtrack_control", boundary=2, features="resid", shuffle=0
    )
    folds, pairs = [], []
    for (_,), fold in part.group_by("fold"):
        folds.append(roc_auc_score(fold["label"], fold["score"]))
        pairs.append(fold["label"].sum() * (~fold["label"]).sum())
    assert row["auroc"] == pytest.approx(np.average(folds, weights=pairs))
    assert row["auroc_fold_lowest"] == pytest.approx(min(folds))
    assert row["auroc_fold_highest"] == pytest.approx(max(folds))
    controls = (f"{name}_auroc" for name in ("token", "depth", "shuffled"))
    best = max(row[name] for name in controls)
    assert row["selectivity"] == pytest.approx(row["auroc"] - best)
    assert (
        row["token_auroc"]
        == summary.filter(contrast="backtrack_control", boundary=0)["auroc"].item()
    )
    assert row["auroc_low"] <= row["auroc"] <= row["auroc_high"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_boundary_0_is_the_tokens_embedding(name, architectures):
    """It may be scaled by a constant: its probe is the control on the embedding."""
    settings = settings_of(architectures[name])
    ids = torch.tensor([[5, 17, 3, 60, 5]])
    decoder = load_decoder(settings)
    with record(decoder) as seen, torch.no_grad():
        decoder.base(input_ids=ids, use_cache=False)
    stored = Checkpoint(settings).embed.float()[ids[0]]
    ratio = seen["resid"][0][0] / stored
    torch.testing.assert_close(ratio, torch.full_like(ratio, float(ratio[0, 0])))


def data_of(summary, contrasts, scores):
    tables = {
        "probing": summary,
        "probing/contrasts": contrasts,
        "probing/scores": scores,
    }
    return StudyData(
        "tiny", "data", tables, {"intervals": {"confidence": 0.95, "least_problems": 3}}
    )


def test_the_section_tells_every_contrast(summary, contrasts, scores):
    data = data_of(summary, contrasts, scores)
    text = " ".join([SECTION.headline(data), *SECTION.findings(data)])
    row = summary.filter(contrast="backtrack_control").sort("selectivity", "boundary")[
        -1
    ]
    assert f"{row['auroc'].item():.3f}" in text
    assert "Not checked: right arrival" in text
    (sheet,) = SECTION.sheets(data)
    assert len(sheet.rows) == summary.height
    assert all(len(row) == len(sheet.columns) for row in sheet.rows)
    counts = contrasts.filter(contrast="backtrack_control").to_dicts()[0]
    sizes = f"{counts['positives']} against {counts['negatives']} on 3 and 3 problems"
    assert sizes in SECTION.cases["auroc"](data)


def test_the_headline_says_whether_a_probe_beats_its_controls(
    summary, contrasts, scores
):
    def headline_at(low):
        rows = summary.with_columns(
            selectivity=pl.lit(0.2),
            selectivity_low_of_all=pl.lit(low),
            auroc=pl.lit(0.9),
        )
        return SECTION.headline(data_of(rows, contrasts, scores))

    assert headline_at(-0.1).startswith("No probe is clearly better")
    assert "0.200 above" in headline_at(0.1)


def test_probes_of_too_few_problems_are_said_to_be_not_checked(
    scores, contrasts, summary
):
    few = summarise_probing.summarise(
        scores, IntervalSettings(least_problems=50), seed=0
    )
    ends = [name for name in few.columns if name.endswith(("_low", "_high"))]
    assert few.select(ends).null_count().sum_horizontal().item() == 20 * few.height
    assert few["selectivity_low_of_all"].is_null().all()
    ends.append("selectivity_low_of_all")
    assert few.drop(ends).equals(summary.drop(ends))
    data = data_of(few, contrasts, scores)
    data.settings["intervals"]["least_problems"] = 50
    assert SECTION.headline(data).startswith("Not checked: no probe has an interval")
    text = " ".join(SECTION.findings(data))
    assert "not checked: 3 problems" in text
    assert "not compared with its controls" in text
    assert "not distinguishable" not in text
    figure = plot_probing.draw_metric(few, contrasts, "auroc", 0.95)
    assert "Not checked, so not drawn" in figure.axes[0].texts[0].get_text()
    one = summary.with_columns(
        pl.when(pl.col("contrast") != "backtrack_control").then(name).alias(name)
        for name in ends
    ).with_columns(
        problems=pl.when(pl.col("contrast") == "backtrack_control")
        .then(2)
        .otherwise(pl.col("problems"))
        .cast(pl.Int32)
    )
    assert "; 1 contrast not checked." in SECTION.headline(
        data_of(one, contrasts, scores)
    )
    figure = plot_probing.draw_metric(one, contrasts, "auroc", 0.95)
    (text,) = (text.get_text() for text in figure.axes[0].texts)
    assert "without an interval" in " ".join(text.split())


def test_a_study_without_probes_says_so(contrasts):
    empty = PROBING.frame([])
    data = data_of(empty, contrasts, PROBING_SCORES.frame([]))
    assert SECTION.headline(data).startswith("Not checked: no contrast has enough")
    assert SECTION.sheets(data) == []
    figure = plot_probing.draw_metric(empty, contrasts, "auroc", 0.95)
    assert "Nothing to draw" in figure.axes[0].texts[0].get_text()


@pytest.mark.parametrize("metric", ["auroc", "accuracy"])
def test_figures_draw_every_probe_and_name_what_is_left_out(summary, contrasts, metric):
    figure = plot_probing.draw_metric(summary, contrasts, metric, 0.95)
    drawn = [
        list(line.get_ydata()) for axes in figure.axes for line in axes.get_lines()
    ]
    for (_,), part in summary.sort("boundary").group_by("contrast"):
        assert part[metric].to_list() in drawn
    texts = [text.get_text() for text in figure.axes[3].texts]
    assert any("not checked" in text for text in texts)


def test_equal_data_give_equal_files(summary, contrasts, tmp_path):
    PROBING.write(summary, tmp_path / "probing")
    PROBING_CONTRASTS.write(contrasts, tmp_path / "contrasts")
    for k in (1, 2):
        plot_probing.main(
            probing_path=tmp_path / "probing",
            contrasts_path=tmp_path / "contrasts",
            auroc_path=tmp_path / f"auroc{k}.svg",
            accuracy_path=tmp_path / f"accuracy{k}.svg",
            confidence=0.95,
        )
    for name in ("auroc", "accuracy"):
        one, two = (tmp_path / f"{name}{k}.svg" for k in (1, 2))
        assert one.read_bytes() == two.read_bytes()
