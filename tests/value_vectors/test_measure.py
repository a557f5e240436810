"""Value vectors from the probe to the page, on a tiny random study."""

from dataclasses import asdict, replace

import numpy as np
import polars as pl
import pytest
import torch
from tiny_architectures import ARCHITECTURES, DENSE, settings_of
from tiny_turns import write_turns_study

from activations.reading import Origin
from doubletake.model.architectures import LAYOUTS
from doubletake.page.study_data import StudyData
from doubletake.running.errors import InputError
from doubletake.stats.intervals import Resampling
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from probing.reading import GAP_SUFFIX, Directions, write_tensors
from probing.tables import PROBING
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors import measure as value_vectors
from value_vectors import plot as plot_value_vectors
from value_vectors import summarise as summarise_value_vectors
from value_vectors.page import SECTION
from value_vectors.scaling_plan import scalings_to_verify
from value_vectors.tables import (
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

CONTRAST = "backtrack_control"
RESAMPLING = Resampling(least_problems=2)
SETTINGS = value_vectors.Settings(
    contrast=CONTRAST,
    layers=None,
    best_layers=2,
    vectors=3,
    tokens=5,
    checked_vectors=4,
    factors=[0.0, 2.0],
    random_draws=2,
    checked_positions=5,
    seed=0,
    verification=Verification(share=0.01, minimum=6, seed=0),
    batch_memory=0.01,
    resampling=RESAMPLING,
)
TABLES = {
    "vectors": VALUE_VECTORS,
    "units": VALUE_VECTOR_UNITS,
    "interventions": VALUE_VECTOR_INTERVENTIONS,
    "verification": VERIFICATION,
    "runs": RUNS,
}


def probing_rows(selectivity):
    """One row per boundary; only the columns that are read have a meaning."""
    rows = []
    for boundary, value in enumerate(selectivity):
        row = {
            name: 0.5 if kind == pl.Float64 else 1
            for name, kind in PROBING.schema.items()
        }
        row |= {"contrast": CONTRAST, "boundary": boundary, "selectivity": value}
        rows.append(row)
    return PROBING.frame(rows)


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    study = write_turns_study(tmp_path_factory.mktemp("vectors"), model)
    study.locate()
    PROBING.write(probing_rows([0.9, 0.1, 0.0, 0.3]), study.folder / "probing.parquet")
    write_directions(study, CONTRAST)
    return study


def direction_at(boundary):
    values = np.random.default_rng(boundary).normal(size=32).astype(np.float32)
    return values / np.linalg.norm(values)


def write_directions(study, name):
    layers = study.decoder.n_layers
    vectors = np.stack([direction_at(k) for k in range(layers + 1)])
    gaps = np.ones(layers + 1, dtype=np.float32)
    origin = asdict(Origin.of(study.model, study.files["events_path"]))
    tensors = {name: vectors, f"{name}{GAP_SUFFIX}": gaps}
    write_tensors(tensors, origin, study.folder / f"{name}.safetensors")


def run(study, name="out", directions=CONTRAST, **changes):
    paths = {key: study.folder / f"{name}.{key}" for key in TABLES}
    value_vectors.main(
        **study.files,
        turns_path=study.folder / "turns.parquet",
        words_path=study.folder / "words.parquet",
        probing_path=study.folder / "probing.parquet",
        directions_path=study.folder / f"{directions}.safetensors",
        table_paths=paths,
        model=study.model,
        settings=replace(SETTINGS, **changes),
    )
    return {key: table.read(paths[key]) for key, table in TABLES.items()}


@pytest.fixture(scope="module")
def results(study):
    return run(study)


def test_layers_are_those_before_the_most_selective_boundaries(results):
    assert results["vectors"]["layer"].unique().sort().to_list() == [0, 2]


def test_layers_of_the_config_are_taken_or_refused(study):
    chosen = value_vectors.chosen_layers(
        probing_rows([0] * 4), replace(SETTINGS, layers=[1]), 3
    )
    assert chosen == [1]
    with pytest.raises(InputError, match=r"value_vectors\.layers: 3"):
        run(study, "beyond", layers=[3])


def test_listed_vectors_are_the_extremes_of_a_direct_computation(study, results):
    weights = study.decoder.hf.model.layers[2].mlp.down_proj.weight.detach()
    direction = torch.from_numpy(direction_at(3))  # the boundary it writes to
    cosine = torch.nn.functional.cosine_similarity(weights.T, direction[None])
    order = cosine.argsort(descending=True).tolist()
    for side, expected in (("for", order[:3]), ("against", order[::-1][:3])):
        rows = results["vectors"].filter(layer=2, side=side).sort("rank")
        assert rows["vector"].to_list() == expected
        np.testing.assert_allclose(rows["cosine"], cosine[expected], atol=1e-5)
    gain = study.decoder.hf.model.norm.weight.detach()
    head = study.decoder.hf.lm_head.weight.detach()
    for row in results["vectors"].filter(layer=2).iter_rows(named=True):
        logits = head @ (gain * weights[:, row["vector"]])
        assert row["token_ids_for"] == logits.topk(5).indices.tolist()
        assert row["token_ids_against"] == (-logits).topk(5).indices.tolist()
        assert len(row["tokens_for"]) == 5


def test_mean_activations_are_those_of_full_passes(study, results):
    turns = TURNS.read(study.folder / "turns.parquet").filter(kind="backtrack")
    seen = []
    down = study.decoder.hf.model.layers[2].mlp.down_proj
    handle = down.register_forward_pre_hook(lambda _, x: seen.append(x[0][0]))
    acts = []
    for row in turns.iter_rows(named=True):
        with torch.no_grad():
            study.decoder.hf(study.ids(row["trace"]))
        acts.append(seen[-1][row["position"]])
    handle.remove()
    mean = torch.stack(acts).mean(0)
    units = results["units"].filter(layer=2).sort("vector")
    np.testing.assert_allclose(units["at_backtrack"], mean, atol=1e-5)
    for row in results["vectors"].filter(layer=2).iter_rows(named=True):
        expected = mean[row["vector"]].item()
        assert row["at_backtrack"] == pytest.approx(expected, abs=1e-5)
        assert row["at_backtrack_low"] <= row["at_backtrack_high"]


def test_effects_are_those_of_a_hooked_full_pass(study, results):
    """Zero the four units of largest cosine of the last layer at the position."""
    words = target_ids(TURN_WORDS.read(study.folder / "words.parquet"))
    row = (
        results["interventions"]
        .filter(layer=2, side="for", draw=0, factor=0.0)
        .row(0, named=True)
    )
    turns = TURNS.read(study.folder / "turns.parquet")
    (turn,) = turns.filter(trace=row["trace"], event=row["event"]).to_dicts()
    weights = study.decoder.hf.model.layers[2].mlp.down_proj.weight.detach()
    direction = torch.from_numpy(direction_at(3))
    cosine = torch.nn.functional.cosine_similarity(weights.T, direction[None])
    top = cosine.topk(4).indices
    ids = study.ids(row["trace"])[:, : turn["position"] + 1]

    def zero(_, inputs):
        states = inputs[0].clone()
        states[0, -1, top] = 0
        return (states,)

    with torch.no_grad():
        before = study.decoder.hf(ids).logits[0, -1]
        down = study.decoder.hf.model.layers[2].mlp.down_proj
        handle = down.register_forward_pre_hook(zero)
        after = study.decoder.hf(ids).logits[0, -1]
        handle.remove()

    def logit_and_margin(logits):
        back, wrap = (logits[words[k]].logsumexp(0) for k in ("backtrack", "wrap_up"))
        return float(back), float(back - wrap)

    changes = np.subtract(logit_and_margin(after), logit_and_margin(before))
    np.testing.assert_allclose(
        (row["logit_change"], row["margin_change"]), changes, atol=1e-4
    )
    assert abs(row["logit_change"]) > 1e-4


def test_random_vectors_write_about_as_much(results):
    rows = results["interventions"].filter(factor=0.0)
    vectors = rows.filter(draw=0)["written"].mean()
    drawn = rows.filter(pl.col("draw") > 0)["written"].mean()
    assert drawn == pytest.approx(vectors, rel=0.5)
    assert rows["draw"].n_unique() == 1 + SETTINGS.random_draws


def test_scalings_and_activations_are_verified(study, results):
    checks = results["verification"]
    assert checks["n"][0] == 2 * 6  # two logits of each scaling
    assert checks["n"][1] > 0
    assert (checks["value"] <= checks["bound"]).all()
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    checks = run(study, "everything", verification=everything)["verification"]
    rows = results["interventions"].height
    assert checks["n"][0] == 2 * (rows + 5)  # and the unscaled pass of each position
    assert (checks["value"] <= checks["bound"]).all()
    assert results["runs"]["traces"][0] == 5


def test_a_wrong_activation_exceeds_its_bound(study, monkeypatch):
    original = value_vectors.layer_units

    def shifted(*parts):
        units, vectors = original(*parts)
        return replace(units, activations=units.activations + 0.1), vectors

    monkeypatch.setattr(value_vectors, "layer_units", shifted)
    checks = run(study, "wrong")["verification"]
    assert checks["value"][1] > checks["bound"][1]


def test_the_draw_of_scalings_keeps_to_its_share_and_minimum():
    positions = [(f"{k}/0", k, 30 + k) for k in range(20)]
    lengths = {(trace, event): tokens for trace, event, tokens in positions}
    drawn = scalings_to_verify(positions, 9, Verification(0.3, 2, 0))
    cost = sum(lengths[name] * len(numbers) for name, numbers in drawn.items())
    assert cost <= 0.3 * sum(tokens - 1 + 9 for tokens in lengths.values())
    assert sum(map(len, drawn.values())) > 2
    assert drawn == scalings_to_verify(positions[::-1], 9, Verification(0.3, 2, 0))
    few = scalings_to_verify(positions, 9, Verification(1e-9, 2, 0))
    assert sum(map(len, few.values())) == 2


def test_small_batches_change_nothing(study, results):
    small = run(study, "small", batch_memory=1e-9)["interventions"]
    for name in ("logit_change", "margin_change"):
        np.testing.assert_allclose(
            small[name], results["interventions"][name], atol=1e-4
        )


def test_a_mixture_of_experts_is_skipped_by_name(study, monkeypatch):
    experts = replace(LAYOUTS["llama"], mlp_down=None)
    monkeypatch.setitem(LAYOUTS, "llama", experts)
    tables = run(study, "experts")
    assert tables["runs"]["note"].to_list() == ["skipped: mixture of experts"]
    for name in ("vectors", "units", "interventions"):
        assert tables[name].is_empty()
    figure = plot_value_vectors.draw_units(tables["units"], tables["vectors"], CONTRAST)
    assert "Nothing to draw" in figure.axes[0].texts[0].get_text()
    effects = summarise_value_vectors.summarise(tables["interventions"], 4, RESAMPLING)
    data = data_of(tables, effects)
    assert "mixture of experts" in SECTION.headline(data)
    assert SECTION.sheets(data) == SECTION.findings(data) == []
    assert SECTION.cases["effects"](data).startswith("No backtrack")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_mixture_of_experts_is_skipped_and_nothing_else(name, architectures):
    directions = Directions({CONTRAST: np.ones((4, 32))}, {CONTRAST: np.ones(4)})
    reason = value_vectors.why_skipped(
        settings_of(architectures[name]), directions, CONTRAST
    )
    assert (reason is None) == (name in DENSE)


def test_without_a_probe_the_study_is_skipped(study):
    write_directions(study, "wrap_up_control")
    tables = run(study, "other", directions="wrap_up_control")
    assert tables["runs"]["note"][0] == "skipped: no probe of backtrack against control"
    assert tables["vectors"].is_empty()


@pytest.fixture(scope="module")
def effects(results):
    return summarise_value_vectors.summarise(results["interventions"], 4, RESAMPLING)


def data_of(results, effects):
    tables = {
        "value_vectors": results["vectors"],
        "value_vectors/units": results["units"],
        "value_vectors/interventions": results["interventions"],
        "value_vectors/effects": effects,
    }
    settings = {
        "intervals": {"confidence": 0.95, "least_problems": 2},
        "value_vectors": {"contrast": CONTRAST, "layers": None},
    }
    return StudyData("tiny", "data", tables, settings)


def test_effects_are_means_beside_random_ones(results, effects):
    VALUE_VECTOR_EFFECTS.check(effects)
    assert effects.height == 2 * 2 * 2
    row = effects.filter(layer=0, side="for", factor=2.0).to_dicts()[0]
    part = results["interventions"].filter(layer=0, side="for", factor=2.0)
    vectors = part.filter(draw=0)["logit_change"].mean()
    drawn = part.filter(pl.col("draw") > 0)["logit_change"].mean()
    assert row["logit_change"] == pytest.approx(vectors)
    assert row["logit_change_random"] == pytest.approx(drawn)
    assert row["logit_change_excess"] == pytest.approx(vectors - drawn)
    assert row["logit_change_low"] <= row["logit_change"] <= row["logit_change_high"]


def test_the_section_lists_vectors_as_published(results, effects):
    data = data_of(results, effects)
    first = results["vectors"].filter(layer=0, side="for", rank=1).to_dicts()[0]
    sheet = SECTION.sheets(data)[0]
    texts = ", ".join(repr(text) for text in first["tokens_for"])
    assert sheet.rows[0][0] == f"Layer 0 vec {first['vector']}: [{texts}]"
    assert "layers 0 and 2" in " ".join(SECTION.findings(data))
    assert f"vec {results['vectors'].sort('cosine')['vector'][-1]}" in SECTION.headline(
        data
    )


def test_too_few_problems_are_said_to_be_not_checked(results):
    few = summarise_value_vectors.summarise(
        results["interventions"], 4, Resampling(least_problems=3)
    )
    figure = plot_value_vectors.draw_effects(few, 0.95)
    (text,) = (text.get_text() for text in figure.axes[0].texts)
    assert "Not checked, so not drawn: 8 points" in text
    data = data_of(results, few)
    data.settings["intervals"]["least_problems"] = 3
    problems = few["problems"][0]
    assert f"was not checked ({problems} problem" in SECTION.headline(data)


def test_figures_draw_every_mean(results, effects):
    figure = plot_value_vectors.draw_effects(effects, 0.95)
    drawn = {float(x) for line in figure.axes[0].get_lines() for x in line.get_xdata()}
    means = set(effects["logit_change"]) | set(effects["logit_change_random"])
    assert means <= drawn
    units = plot_value_vectors.draw_units(
        results["units"], results["vectors"], CONTRAST
    )
    assert [axes.get_title(loc="left") for axes in units.axes] == ["Layer 0", "Layer 2"]
