"""The script: its files, the same bytes again, and what it refuses."""

from pathlib import Path

import polars as pl
import pytest
import torch
from tiny_activations import Study
from tiny_fits import settings_with

from directions.class_sums import batch_sums
from directions.measure import main
from directions.reading import problems_to_test, read_directions
from directions.tables import (
    DIRECTION_COSINES,
    DIRECTION_PAIRS,
    DIRECTION_UNITS,
    DIRECTIONS,
)
from directions.thought_inputs import ClassPlan, thought_inputs
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.running.errors import InputError
from doubletake.tables.runs import RUNS
from doubletake.tables.verification import VERIFICATION

NAMES = ("directions", "problems", "pairs", "cosines", "units", "verification", "runs")


def run(study: Study, folder: Path, **changes) -> dict[str, Path]:
    """Run the script; its outputs by name."""
    folder.mkdir()
    paths = {name: folder / f"{name}.parquet" for name in NAMES}
    paths["vectors"] = folder / "vectors.safetensors"
    main(
        traces_path=study.folder / "traces.parquet",
        events_path=study.folder / "events.parquet",
        matches_path=study.folder / "matches.parquet",
        index_path=study.folder / "cache/index.parquet",
        cache_paths=[study.folder / "cache/1-of-1.safetensors"],
        **{f"{name}_path": path for name, path in paths.items()},
        model=study.model,
        settings=settings_with(**changes),
    )
    return paths


def test_the_files_of_a_study(study: Study) -> None:
    """All tables keep their contract, and agree with the vectors."""
    study.run("cache")
    paths = run(study, study.folder / "out")
    directions = read_directions(paths["vectors"], model_name(study.model))
    rows = DIRECTIONS.read(paths["directions"])
    there = rows.filter(pl.col("why_not").is_null())
    assert set(there["direction"]) == set(directions.vectors)
    for row in there.to_dicts():
        norm = directions.norms[row["direction"]][row["boundary"]].item()
        residual = directions.residual_norms[row["boundary"]].item()
        assert row["norm"] == pytest.approx(norm)
        assert row["separation"] == pytest.approx(norm / residual)
        draws = directions.shuffled_norms[row["direction"]][:, row["boundary"]]
        assert row["shuffled_highest"] == pytest.approx(draws.max().item() / residual)
    assert len(problems_to_test(paths["problems"])) == 8
    assert DIRECTION_PAIRS.read(paths["pairs"]).height > 0
    assert DIRECTION_COSINES.read(paths["cosines"]).height > 0
    assert DIRECTION_UNITS.read(paths["units"])["side"].to_list().count("for") == 3
    assert VERIFICATION.read(paths["verification"]).height == 2
    assert RUNS.read(paths["runs"])["note"].to_list() == [""]


def test_equal_runs_give_equal_bytes(study: Study) -> None:
    """Another seed gives others."""
    study.run("cache")
    first, again = (run(study, study.folder / name) for name in ("a", "b"))
    for name in set(first) - {"runs"}:
        assert first[name].read_bytes() == again[name].read_bytes(), name
    other = run(study, study.folder / "c", seed=1)
    assert first["vectors"].read_bytes() != other["vectors"].read_bytes()


def test_a_cache_of_other_events_is_refused(study: Study) -> None:
    """The probe must not read states of other positions."""
    study.run("cache")
    study.events = study.events.with_columns(cue=pl.lit("wait"))
    study.write()
    with pytest.raises(InputError, match="made from another events"):
        run(study, study.folder / "out")


def test_states_that_are_not_finite_name_the_thought(study: Study) -> None:
    """A weight that is too large shows in the first sums."""
    decoder = load_decoder(study.model)
    traces = study.traces.head(1).to_dicts()
    inputs = thought_inputs(traces, ClassPlan.of([], 1, 0), 4, 0, 10**6)
    with torch.no_grad():
        decoder.layers[1].mlp.down_proj.weight.fill_(3e38)
    with pytest.raises(InputError, match=r"trace 0/0: .* not finite in float32"):
        batch_sums(decoder, 1, inputs)


def test_a_token_of_another_tokenizer_is_named(study: Study) -> None:
    """The message names the trace and the token."""
    traces = study.traces.head(1).to_dicts()
    with pytest.raises(InputError, match=r"trace 0/0: token \d+ is not in the model"):
        thought_inputs(traces, ClassPlan.of([], 1, 0), 4, 0, 10)
