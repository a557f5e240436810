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
from doubletake.stats.intervals import IntervalSettings, cluster_means
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.tensors.sealed_tensors import write_tensors
from matches.tables import MATCHES
from probing.reading import GAP_SUFFIX, Directions
from probing.tables import PROBING
from turns.reading import target_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors import measure as value_vectors
from value_vectors import plot as plot_value_vectors
from value_vectors import summarise as summarise_value_vectors
from value_vectors.check_plan import cases_to_verify
from value_vectors.page import SECTION
from value_vectors.table_rows import paired_activations
from value_vectors.tables import (
    VALUE_VECTOR_ALIGNMENT,
    VALUE_VECTOR_EFFECTS,
    VALUE_VECTOR_INTERVENTIONS,
    VALUE_VECTOR_SETS,
    VALUE_VECTOR_UNITS,
    VALUE_VECTORS,
)

CONTRAST = "backtrack_control"
INTERVALS = IntervalSettings(least_problems=2)
SETTINGS = value_vectors.Settings(
    contrast=CONTRAST,
    layers=None,
    best_layers=2,
    vectors=3,
    tokens=5,
    checked_vectors=4,
    random_draws=3,
    checked_positions=5,
    seed=0,
    verification=Verification(share=0.01, minimum=6, seed=0),
    batch_memory=0.01,
    intervals=INTERVALS,
)
TABLES = {
    "vectors": VALUE_VECTORS,
    "alignment": VALUE_VECTOR_ALIGNMENT,
    "units": VALUE_VECTOR_UNITS,
    "sets": VALUE_VECTOR_SETS,
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
        matches_path=study.matches_path,
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


def test_activations_within_pairs_are_those_of_full_passes(study, results):
    members = MATCHES.read(study.matches_path).filter(contrast=CONTRAST).sort("pair")
    seen = []
    down = study.decoder.hf.model.layers[2].mlp.down_proj
    handle = down.register_forward_pre_hook(lambda _, x: seen.append(x[0][0]))
    acts = {True: [], False: []}
    for row in members.iter_rows(named=True):
        with torch.no_grad():
            study.decoder.hf(study.ids(row["trace"]))
        acts[row["label"]].append(seen[-1][row["position"]])
    handle.remove()
    first, second = (torch.stack(acts[flag]).double().numpy() for flag in (True, False))
    units = results["units"].filter(layer=2).sort("vector")
    expected = {"at_first": first, "at_second": second, "difference": first - second}
    for name, values in expected.items():
        np.testing.assert_allclose(units[name], values.mean(0), atol=1e-5)
    problems = members.filter("label")["problem"].to_numpy()
    for row in results["vectors"].filter(layer=2).iter_rows(named=True):
        assert row["pairs"] == len(first) == 6
        assert row["problems"] == 3
        for name, values in expected.items():
            (mean,) = cluster_means(values[:, [row["vector"]]], problems, INTERVALS)
            assert row[name] == pytest.approx(mean.value, abs=1e-5)
            assert row[f"{name}_low"] == pytest.approx(mean.low, abs=1e-4)
            assert row[f"{name}_high"] == pytest.approx(mean.high, abs=1e-4)


def test_pairs_may_come_in_any_order_and_belong_to_their_first_members_problem():
    cases = pl.DataFrame(
        {
            "pair": [7, 2, 7, 2],
            "label": [True, False, False, True],
            "problem": ["a", "b", "c", "d"],
        }
    )
    activations = torch.tensor([[5.0], [1.0], [4.0], [10.0]])
    (row,) = paired_activations(activations, cases, INTERVALS)
    assert (row["at_first"], row["at_second"]) == (7.5, 2.5)
    assert row["difference"] == 5.0
    differences = np.array([[9.0], [1.0]])  # of the pairs 2 and 7
    (mean,) = cluster_means(differences, np.array(["d", "a"]), INTERVALS)
    assert (row["difference_low"], row["difference_high"]) == (mean.low, mean.high)
    assert (row["pairs"], row["problems"]) == (2, 2)


def log_odds(logits, words):
    """Logit of the probability that one of the words comes next, in float64."""
    share = logits.double().softmax(0)[words].sum()
    return float(share.logit())


def test_effects_are_those_of_a_hooked_full_pass(study, results):
    """Zero the four units of largest cosine of the last layer at the position."""
    words = target_ids(TURN_WORDS.read(study.folder / "words.parquet"))["backtrack"]
    row = results["interventions"].filter(layer=2, side="for", draw=0).to_dicts()[0]
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
        before = log_odds(study.decoder.hf(ids).logits[0, -1], words)
        down = study.decoder.hf.model.layers[2].mlp.down_proj
        handle = down.register_forward_pre_hook(zero)
        after = log_odds(study.decoder.hf(ids).logits[0, -1], words)
        handle.remove()
    assert row["log_odds"] == pytest.approx(before, abs=1e-4)
    assert row["log_odds_change"] == pytest.approx(after - before, abs=1e-4)
    assert abs(row["log_odds_change"]) > 1e-4


def test_sets_are_the_same_at_all_positions_and_write_as_much(study, results):
    sets, rows = results["sets"], results["interventions"]
    count = 1 + 3 * 4  # three draws for each of two layers and two sides
    assert sets.height == 4 * count
    assert rows.height == 5 * sets.height
    assert rows.select("layer", "side", "draw").unique().height == sets.height
    listed = sets.filter(draw=0, layer=2, side="for").to_dicts()[0]
    top = results["units"].filter(layer=2).sort("cosine", descending=True)[:4]
    assert sorted(listed["vectors"]) == sorted(top["vector"])
    drawn = sets.filter(pl.col("draw") > 0)
    assert drawn["written"].mean() == pytest.approx(
        sets.filter(draw=0)["written"].mean(), rel=0.5
    )
    assert drawn["vectors"].list.n_unique().to_list() == [4] * drawn.height


def test_what_a_set_writes_along_the_direction_is_its_projection(study, results):
    """Sum over units of activation times value vector, projected, mean at positions."""
    listed = results["sets"].filter(draw=0, layer=2, side="against").to_dicts()[0]
    turns = TURNS.read(study.folder / "turns.parquet").filter("selected")
    keys = results["interventions"].select("trace", "event").unique()
    checked = turns.join(keys, on=["trace", "event"], how="semi")
    mlp = study.decoder.hf.model.layers[2].mlp.down_proj
    seen = []
    handle = mlp.register_forward_pre_hook(lambda _, x: seen.append(x[0][0]))
    writes = []
    for row in checked.iter_rows(named=True):
        with torch.no_grad():
            study.decoder.hf(study.ids(row["trace"]))
        acts = seen[-1][row["position"], listed["vectors"]]
        written = mlp.weight.detach()[:, listed["vectors"]] @ acts
        writes.append(float(written @ torch.from_numpy(direction_at(3))))
    handle.remove()
    assert listed["along"] == pytest.approx(np.mean(writes), abs=1e-4)


def test_cosines_stand_beside_those_of_shuffled_labels(results):
    rows = results["alignment"]
    assert rows["directions"].to_list() == [12] * 4  # as many as random sets
    first = results["vectors"].filter(rank=1).sort("layer", "side")
    for name in ("cosine", "cosine_null", "cosine_limit"):
        np.testing.assert_allclose(
            rows.sort("layer", "side")[name], first[name], rtol=1e-5
        )
    for_rows = rows.filter(side="for")
    assert (for_rows["cosine_limit"] > for_rows["cosine_null"]).all()
    ranks = results["vectors"].filter(layer=0, side="for").sort("rank")
    assert ranks["cosine_null"].is_sorted(descending=True)


def test_fast_computations_are_verified(study, results):
    checks = results["verification"]
    assert checks["n"][0] == 6
    assert checks["n"][1] > 0
    assert checks["n"][2] == 2 * 8  # complete fits of both layers
    assert (checks["value"] <= checks["bound"])[:2].all()
    everything = Verification(share=1.0, minimum=10**6, seed=0)
    checks = run(study, "everything", verification=everything)["verification"]
    rows = results["interventions"].height
    assert checks["n"][0] == rows + 5  # and the unchanged pass of each position
    assert (checks["value"] <= checks["bound"])[:2].all()
    assert results["runs"]["traces"][0] == 5


def test_a_wrong_activation_exceeds_its_bound(study, monkeypatch):
    original = value_vectors.layer_units

    def shifted(*parts):
        units, vectors = original(*parts)
        return replace(units, at_backtracks=units.at_backtracks + 0.1), vectors

    monkeypatch.setattr(value_vectors, "layer_units", shifted)
    checks = run(study, "wrong")["verification"]
    assert checks["value"][1] > checks["bound"][1]


def test_the_draw_of_cases_keeps_to_its_share_and_minimum():
    positions = [(f"{k}/0", k, 30 + k) for k in range(20)]
    lengths = {(trace, event): tokens for trace, event, tokens in positions}
    drawn = cases_to_verify(positions, 9, Verification(0.3, 2, 0))
    cost = sum(lengths[name] * len(numbers) for name, numbers in drawn.items())
    assert cost <= 0.3 * sum(tokens - 1 + 9 for tokens in lengths.values())
    assert sum(map(len, drawn.values())) > 2
    assert drawn == cases_to_verify(positions[::-1], 9, Verification(0.3, 2, 0))
    few = cases_to_verify(positions, 9, Verification(1e-9, 2, 0))
    assert sum(map(len, few.values())) == 2


def test_small_batches_change_nothing(study, results):
    small = run(study, "small", batch_memory=1e-9)["interventions"]
    np.testing.assert_allclose(
        small["log_odds_change"], results["interventions"]["log_odds_change"], atol=1e-4
    )


def test_a_mixture_of_experts_is_skipped_by_name(study, monkeypatch):
    experts = replace(LAYOUTS["llama"], mlp_down=None)
    monkeypatch.setitem(LAYOUTS, "llama", experts)
    tables = run(study, "experts")
    assert tables["runs"]["note"].to_list() == ["skipped: mixture of experts"]
    for name in ("vectors", "alignment", "units", "sets", "interventions"):
        assert tables[name].is_empty()
    summary = summarised(tables)
    for figure in (
        plot_value_vectors.draw_units(
            tables["units"], tables["vectors"], tables["alignment"], CONTRAST
        ),
        plot_value_vectors.draw_effects(*summary, 0.95),
    ):
        assert "Nothing to draw" in figure.axes[0].texts[0].get_text()
    data = data_of(tables, *summary)
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


def summarised(tables, contrast=CONTRAST):
    return summarise_value_vectors.summarise(
        tables["sets"], tables["interventions"], contrast, 0, INTERVALS
    )


@pytest.fixture(scope="module")
def summary(results):
    return summarised(results)


def data_of(results, effects, set_effects):
    tables = {
        "value_vectors": results["vectors"],
        "value_vectors/alignment": results["alignment"],
        "value_vectors/units": results["units"],
        "value_vectors/sets": results["sets"],
        "value_vectors/interventions": results["interventions"],
        "value_vectors/effects": effects,
        "value_vectors/set_effects": set_effects,
    }
    settings = {
        "intervals": {"confidence": 0.95, "least_problems": 2},
        "value_vectors": {"contrast": CONTRAST, "layers": None},
    }
    return StudyData("tiny", "data", tables, settings)


def test_effects_are_means_ranked_among_random_sets(results, summary):
    effects, set_effects = summary
    VALUE_VECTOR_EFFECTS.check(effects)
    assert effects.height == 2 * 2
    row = effects.filter(layer=0, side="for").to_dicts()[0]
    part = results["interventions"].filter(layer=0, side="for")
    means = part.group_by("draw").agg(pl.col("log_odds_change").mean()).sort("draw")
    listed, null = means["log_odds_change"][0], means["log_odds_change"][1:].to_numpy()
    assert row["log_odds_change"] == pytest.approx(listed)
    assert row["random_middle"] == pytest.approx(np.median(null))
    middle = np.median(means["log_odds_change"])
    as_far = int((abs(null - middle) >= abs(listed - middle) - 1e-5).sum())
    assert row["as_far"] == as_far
    assert row["p"] == (as_far + 1) / (12 + 1)
    assert row["p_holm"] >= row["p"]
    spread = part.filter(draw=0)["log_odds"].std()
    assert row["relative_change"] == pytest.approx(listed / spread)
    assert row["log_odds_change_low"] <= listed <= row["log_odds_change_high"]
    assert set_effects.height == results["sets"].height


@pytest.mark.parametrize(
    ("contrast", "says"),
    [
        ("backtrack_control", True),
        ("backtrack_wrap_up", True),
        ("wrap_up_control", False),
        ("right_arrival", False),
    ],
)
def test_the_expected_sign_follows_from_what_the_set_writes(results, contrast, says):
    """Whatever the side of its cosines."""
    for sign in (1, -1, 0):
        sets = results["sets"].with_columns(pl.col("along").abs() * sign)
        effects, _ = summarised(results | {"sets": sets}, contrast)
        assert set(effects["side"]) == {"for", "against"}
        word = {1: "less", -1: "more", 0: None}[sign] if says else None
        assert effects["expected"].to_list() == [word] * 4


def test_the_section_lists_vectors_as_published(results, summary):
    data = data_of(results, *summary)
    first = results["vectors"].filter(layer=0, side="for", rank=1).to_dicts()[0]
    sheet = next(s for s in SECTION.sheets(data) if "largest" in s.title)
    texts = ", ".join(repr(text) for text in first["tokens_for"])
    assert sheet.rows[0][0] == f"Layer 0 vec {first['vector']}: [{texts}]"
    assert sheet.columns[-3:] == ("at backtracks", "at controls", "difference")
    assert f"{first['difference']:.2f} (".replace("-", "\u2212") in sheet.rows[0][-1]
    assert "means over 6 matched pairs of backtrack and control" in sheet.note
    assert "6 matched pairs of backtrack against" in SECTION.cases["units"](data)
    assert "layers 0 and 2" in " ".join(SECTION.findings(data))
    firsts = results["vectors"].filter(rank=1)["vector"]
    headline = SECTION.headline(data)
    assert any(f"vec {vector}: [" in headline for vector in firsts)


def test_too_few_problems_are_said_to_be_not_checked(results):
    effects, set_effects = summarise_value_vectors.summarise(
        results["sets"],
        results["interventions"],
        CONTRAST,
        0,
        IntervalSettings(least_problems=3),
    )
    figure = plot_value_vectors.draw_effects(effects, set_effects, 0.95)
    (text,) = (text.get_text() for text in figure.axes[0].texts)
    assert "Not checked, so not drawn: 4 points" in text
    data = data_of(results, effects, set_effects)
    data.settings["intervals"]["least_problems"] = 3
    problems = effects["problems"][0]
    said = f"What zeroing them changes was not checked ({problems} problem"
    assert said in SECTION.headline(data)
    assert not any("Zeroing" in sentence for sentence in SECTION.findings(data))
    assert not any(sheet.title == "Zeroed sets" for sheet in SECTION.sheets(data))


def test_figures_draw_every_set(results, summary):
    effects, set_effects = summary
    figure = plot_value_vectors.draw_effects(effects, set_effects, 0.95)
    drawn = {float(x) for line in figure.axes[0].get_lines() for x in line.get_xdata()}
    assert set(set_effects["log_odds_change"]) <= drawn
    units = plot_value_vectors.draw_units(
        results["units"], results["vectors"], results["alignment"], CONTRAST
    )
    assert [axes.get_title(loc="left") for axes in units.axes] == ["Layer 0", "Layer 2"]
    limits = set(results["alignment"].filter(layer=0)["cosine_limit"])
    drawn = {float(line.get_xdata()[0]) for line in units.axes[0].get_lines()}
    assert limits <= drawn
