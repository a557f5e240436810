"""The whole measurement on a tiny model: against plain passes, shards, absent parts."""

from contextlib import nullcontext
from dataclasses import replace

import polars as pl
import pytest
import torch
from tiny_directions import tiny_directions, write_tiny_directions
from tiny_turns import write_turns_study

from ablation.tables import ABLATION_SETS, ABLATION_VERSIONS
from directions.tables import DIRECTION_PROBLEMS, TEST
from doubletake.model.hooks import replaced
from doubletake.stats.verification import Verification
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from loop import measure
from loop.interventions import ablation_of, changes_of, members_of
from loop.settings import Settings
from loop.tables import LOOP_EFFECTS
from turns.reading import BACKTRACK, target_ids, white_space_ids
from turns.tables import TURN_WORDS, TURNS
from value_vectors.tables import VALUE_VECTORS

SETTINGS = Settings(
    direction="seal",
    layer=0.5,
    strength=2.0,
    units="supporting_units",
    heads="supporting_heads",
    random=3,
    seed=0,
    batch_memory=0.1,
    verification=Verification(1.0, 50, 0),
)
UNITS = [(0, 3), (1, 5), (1, 2)]
HEADS = [(1, 1)]


def ablation_rows():
    """The two ablations, a random set beside each, and one that must not be taken."""
    versions, sets = [], []
    for target, places, size in (
        ("supporting_units", UNITS, 5),
        ("supporting_units", UNITS[:1], 3),
        ("supporting_heads", HEADS, 1),
    ):
        name = f"{target}/{size}/zero"
        version = dict.fromkeys(ABLATION_VERSIONS.schema) | {"ablation": name}
        version |= {"target": target, "mode": "zero", "size": size}
        versions.append(version | {"claimed": size != 3})
        for draw in range(3):
            own = [(layer, number + draw) for layer, number in places]
            one = {"ablation": name, "null": "random" if draw else "named"}
            one |= {"draw": draw, "layers": [layer for layer, _ in own]}
            one |= {"members": [number for _, number in own], "written": 1.0}
            sets.append(one | {"boundaries": 3, "turn_probability": 0.4})
    # The claimed one does not stand first.
    return ABLATION_VERSIONS.frame(versions[::-1]), ABLATION_SETS.frame(sets)


def value_vector_rows():
    rows = []
    for side, layer, rank, vector in (
        ("for", 0, 1, 7),
        ("for", 1, 1, 4),
        ("against", 0, 1, 2),
    ):
        row = {
            name: [] if isinstance(dtype, pl.List) else 0
            for name, dtype in VALUE_VECTORS.schema.items()
        }
        own = {"layer": layer, "side": side, "rank": rank, "vector": vector}
        rows.append(row | own | {"cosine": 0.5, "norm": 2.0 + rank})
    return VALUE_VECTORS.frame(rows)


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("loop")
    study = write_turns_study(folder, model)
    study.locate()
    write_tiny_directions(folder, study.decoder, ["0", "1", "2"])
    versions, sets = ablation_rows()
    ABLATION_VERSIONS.write(versions, folder / "versions.parquet")
    ABLATION_SETS.write(sets, folder / "sets.parquet")
    VALUE_VECTORS.write(value_vector_rows(), folder / "value_vectors.parquet")
    return study


def measured(study, shard="1-of-1", settings=SETTINGS, **paths):
    """Run the script on a shard; the tables that it writes."""
    folder = study.folder
    inputs = {
        name: folder / f"{name}.parquet"
        for name in ("traces", "turns", "words", "versions", "sets", "value_vectors")
    }
    inputs |= {
        "directions": folder / "directions/vectors.safetensors",
        "parts": folder / "directions/problems.parquet",
    }
    out = {name: folder / f"out.{name}" for name in ("effects", "verification", "runs")}
    measure.main(
        inputs=inputs | paths,
        **{f"{name}_path": path for name, path in out.items()},
        shard=shard,
        model=study.model,
        settings=settings,
    )
    tables = {"effects": LOOP_EFFECTS, "verification": VERIFICATION, "runs": RUNS}
    return {name: table.read(out[name]) for name, table in tables.items()}


def log_odds(study, logits):
    """Log-odds of the backtrack words without white space, from logits."""
    words = target_ids(TURN_WORDS.read(study.folder / "words.parquet"))[BACKTRACK]
    logits = logits.double()
    logits[white_space_ids(load_tokenizer(study.model))] = -torch.inf
    own = logits[words].logsumexp(-1)
    logits[words] = -torch.inf
    return float(own - logits.logsumexp(-1))


def test_effects_are_those_of_plain_passes_with_hooks_written_out(study):
    """A vector added, units and heads at 0, at the last token of a plain pass."""
    table = measured(study)["effects"]
    test = DIRECTION_PROBLEMS.read(study.folder / "directions/problems.parquet")
    tested = set(test.filter(part=TEST)["problem"])
    decoder = study.decoder
    unit = tiny_directions(decoder).vectors["seal"]
    boundary = round(0.5 * decoder.n_layers)
    width = decoder.attention_out(0).in_features // decoder.config.num_attention_heads

    def change(name, layer, states):
        new = states.clone()
        if name == "resid":
            new[0, -1] += 2.0 * 3.0 * unit[boundary]
        if name == "units":
            new[0, -1, [u for k, u in UNITS if k == layer]] = 0
        if name == "heads":
            new[0, -1, width : 2 * width] = 0
        return new

    places = {
        "steering": [("resid", boundary)],
        "units_support": [("units", 0), ("units", 1)],
        "heads_support": [("heads", 1)],
    }
    seen = 0
    for row in table.to_dicts():
        ids = study.ids(row["trace"])[:, : row["position"] + 1]
        with torch.no_grad():
            plain = log_odds(study, decoder.hf(ids).logits[0, -1])
            assert row["log_odds"] == pytest.approx(plain, abs=1e-4)
            for name, own in places.items():
                if row["problem"] not in tested:
                    assert row[name] is None
                    continue
                with replaced(decoder, change, own):
                    changed = log_odds(study, decoder.hf(ids).logits[0, -1])
                sign = 1 if name == "steering" else -1
                assert row[name] == pytest.approx(sign * (changed - plain), abs=1e-4)
                seen += abs(row[name]) > 1e-3
    assert seen > 6


def test_value_vectors_are_summed_by_norm_and_cosine(study):
    row = measured(study)["effects"].row(0, named=True)
    ids = study.ids(row["trace"])[:, : row["position"] + 1]
    inputs = {}

    def keep(name, layer, states):
        inputs[layer] = states[0, -1].double()

    with torch.no_grad(), replaced(study.decoder, keep, [("units", 0), ("units", 1)]):
        study.decoder.hf(ids)
    expected = 0.5 * 3.0 * float(inputs[0][7] + inputs[1][4])
    assert row["value_vectors"] == pytest.approx(expected, abs=1e-5)


def test_shards_and_memory_change_nothing(study):
    whole = measured(study)["effects"]
    parts = [measured(study, f"{k}-of-2")["effects"] for k in (1, 2)]
    joined = pl.concat(parts).sort(LOOP_EFFECTS.sort)
    assert joined.equals(whole.sort(LOOP_EFFECTS.sort))
    small = measured(study, settings=replace(SETTINGS, batch_memory=1e-9))["effects"]
    numbers = whole.select(pl.col(pl.Float64)).to_numpy()
    torch.testing.assert_close(
        torch.tensor(small.select(pl.col(pl.Float64)).to_numpy()),
        torch.tensor(numbers),
        atol=1e-4,
        rtol=1e-3,
        equal_nan=True,
    )


def test_the_verification_compares_every_part_and_can_fail(study, monkeypatch):
    good = measured(study)["verification"]
    assert good["n"].min() > 0
    assert (good["value"] <= good["bound"]).all()
    # Nothing is changed any more.
    monkeypatch.setattr(
        "loop.event_pass.PackedInterventions.changed", lambda *_: nullcontext()
    )
    bad = measured(study)["verification"]
    assert (bad["value"] > bad["bound"]).any()


def test_what_the_study_lacks_is_null(study, tmp_path):
    write_tiny_directions(tmp_path, study.decoder, ["0", "1", "2"], names=("probe",))
    ABLATION_VERSIONS.write(ABLATION_VERSIONS.frame([]), tmp_path / "versions")
    ABLATION_SETS.write(ABLATION_SETS.frame([]), tmp_path / "sets")
    VALUE_VECTORS.write(VALUE_VECTORS.frame([]), tmp_path / "vectors")
    paths = {
        "directions": tmp_path / "directions/vectors.safetensors",
        "versions": tmp_path / "versions",
        "sets": tmp_path / "sets",
        "value_vectors": tmp_path / "vectors",
    }
    tables = measured(study, **paths)
    effects = tables["effects"]
    assert effects.height
    for name in ("steering", "units_support", "heads_support", "value_vectors"):
        assert effects[name].null_count() == effects.height
    assert effects["log_odds"].null_count() == 0
    (odds, written) = tables["verification"].to_dicts()
    assert odds["n"] > 0
    assert (written["n"], written["value"]) == (0, None)
    none = tmp_path / "turns"
    TURNS.write(TURNS.frame([]), none)
    assert measured(study, turns=none)["effects"].is_empty()


def test_the_claimed_ablation_is_taken_with_its_first_random_sets(study):
    versions, sets = ablation_rows()
    name = ablation_of(versions, "supporting_units")
    assert name == "supporting_units/5/zero"
    assert ablation_of(versions, "aligned_units") is None
    own, first = members_of(sets, name, 1)
    assert own == UNITS
    assert first == [(layer, number + 1) for layer, number in UNITS]
    directions = tiny_directions(study.decoder)
    changes = changes_of(study.decoder, directions, versions, sets, SETTINGS)
    counts = [(one.kind, one.draw) for one in changes]
    assert counts == [
        *(("steering", k) for k in range(4)),
        *(("units", k) for k in range(3)),
        *(("heads", k) for k in range(3)),
    ]
    lengths = [float(one.interventions[0].added.norm()) for one in changes[:4]]
    assert lengths == pytest.approx([6.0] * 4)
