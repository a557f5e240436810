"""Directions against plain forward passes; parts that never meet; what is absent."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from tiny_activations import Study
from tiny_fits import pieces_of, settings_with, study_with

from directions.fitting import Fitted, fit
from directions.split import parts_of
from directions.tables import DIRECTION_PAIRS, DIRECTIONS, PROBE
from doubletake.model.loading import load_decoder
from doubletake.study.settings import ModelSettings
from doubletake.text.trace_positions import thought_tokens

WINDOWS = {"ward": (-13, -8), "ward_7_2": (-7, -2), "ward_1_1": (-1, -1)}
MEANS = [*WINDOWS, "venhoff", "wrap_up", "seal", "arrivals"]


def fitted(study: Study, name: str = "cache", shards: int = 1, **changes) -> Fitted:
    """The directions of a study."""
    settings = settings_with(**changes)
    cache = study.run(name, shards).cache
    parts = parts_of(study.traces["problem"], settings.fit_share, settings.seed)
    decoder = load_decoder(study.model)
    tables = study.traces, study.events, study.matches
    return fit(decoder, cache, *tables, parts, settings)


def fit_problems(study: Study) -> set[str]:
    parts = parts_of(study.traces["problem"], 0.5, 0)
    return {problem for problem, part in parts.items() if part == "fit"}


def unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def reference(study: Study, name: str) -> torch.Tensor:
    """A direction's difference of means, [boundary, d_model], from plain passes."""
    first, second = [], []
    for row in study.traces.to_dicts():
        if row["problem"] not in fit_problems(study):
            continue
        resid = study.states(row["trace"])["resid"].double()
        begin, end = thought_tokens(row)
        events = study.events.filter(trace=row["trace"]).to_dicts()
        kind = "wrap_up" if name == "wrap_up" else "backtrack"
        last_of = {
            e["start"]: max(i for i, o in enumerate(row["offsets"]) if o < e["end"])
            + len(row["prompt_ids"])
            for e in events
        }
        if name == "arrivals":  # the sentence with the answer ends two tokens later
            right = [e for e in events if e["kind"] == "arrival"]
            ends = [row["text"].index(".", e["start"]) for e in right]
            at = [
                len(row["prompt_ids"])
                + max(i for i, o in enumerate(row["offsets"]) if o <= end)
                for end in ends
            ]
            first.append(resid[:, at[0]])
            second.append(resid[:, at[-1]])
            continue
        if name == "seal":
            text = row["text"][: row["thought_stop"]]
            for start in [i + 2 for i in range(len(text)) if text[i : i + 2] == "\n\n"]:
                before = [i for i, o in enumerate(row["offsets"]) if o < start][-1]
                turns = any(
                    e["start"] == start and e["kind"] == "backtrack" for e in events
                )
                state = resid[:, len(row["prompt_ids"]) + before]
                (first if turns else second).append(state)
            continue
        second += list(resid[:, begin:end].unbind(1))
        for e in events:
            if e["kind"] == kind:
                low, high = WINDOWS.get(name, (-1, 10))
                stop = e["token"] + high
                if name not in WINDOWS:
                    stop = min(stop, last_of[e["start"]])
                places = range(e["token"] + low, stop + 1)
                first += [resid[:, p] for p in places if begin <= p < end]
    return torch.stack(first).mean(0) - torch.stack(second).mean(0)


@pytest.mark.parametrize("name", MEANS)
def test_a_direction_is_the_difference_of_means(study: Study, name: str) -> None:
    """Each recipe, recomputed from plain, unbatched forward passes."""
    directions = fitted(study).directions
    wanted = reference(study, name)
    lengths = wanted.norm(dim=-1)
    assert torch.allclose(
        directions.norms[name].double(), lengths, rtol=1e-4, atol=1e-5
    )
    for boundary in (lengths > 1e-3).nonzero()[:, 0].tolist():
        found = directions.vectors[name][boundary].double()
        cosine = found @ wanted[boundary] / lengths[boundary]
        assert cosine == pytest.approx(1, abs=1e-5)


def test_the_probe_is_fitted_on_pairs_of_fit_problems(study: Study) -> None:
    """Another solver on the states of plain passes gives the same direction."""
    result = fitted(study)
    own = study.matches.filter(contrast="backtrack_control").filter(
        pl.col("problem").is_in(fit_problems(study))
    )
    own = own.filter(pl.len().over("pair") == 2)
    states = [
        study.states(t)["resid"][:, p] for t, p in own["trace", "position"].rows()
    ]
    features = torch.stack(states).double().numpy()
    labels = own["label"].to_numpy()
    for boundary in (1, 3):
        rows = features[:, boundary]
        scale = rows.std(0)
        model = LogisticRegression(C=0.05, class_weight="balanced", tol=1e-10)
        model.fit((rows - rows.mean(0)) / scale, labels)
        wanted = unit(model.coef_[0] / scale)
        found = result.directions.vectors[PROBE][boundary].numpy()
        assert found @ wanted == pytest.approx(1, abs=1e-4)
        gap = (rows[labels].mean(0) - rows[~labels].mean(0)) @ wanted
        assert result.directions.norms[PROBE][boundary] == pytest.approx(gap, rel=1e-3)


def test_norms_and_components_are_of_fit_thoughts(study: Study) -> None:
    """Residual norms and the principal components, when all positions are drawn."""
    directions = fitted(study, component_positions=10**6).directions
    states = []
    for row in study.traces.to_dicts():
        if row["problem"] in fit_problems(study):
            resid = study.states(row["trace"])["resid"].double()
            states.append(resid[:, slice(*thought_tokens(row))])
    joined = torch.cat(states, 1)
    norms = joined.norm(dim=-1).mean(1)
    assert torch.allclose(directions.residual_norms.double(), norms, rtol=1e-5)
    mean = joined.mean(1)
    assert torch.allclose(directions.mean_norms.double(), mean.norm(dim=-1), rtol=1e-4)
    centred = joined[2] - mean[2]
    values = torch.linalg.eigh(centred.T @ centred).eigenvalues.flip(0)[:4]
    shares = (centred @ directions.components[2].double().T).square().sum(0)
    assert torch.allclose(shares, values, rtol=1e-4)


def test_fit_and_test_problems_never_meet(study: Study) -> None:
    """Changing every thought on a test problem changes no direction."""
    before = fitted(study).directions
    fit_part = fit_problems(study)
    rows = study.traces.to_dicts()
    changed = 0
    for row in rows:
        if row["problem"] not in fit_part:
            ids = row["completion_ids"]
            row["completion_ids"] = [*ids[:3], *ids[4:1:-1], *ids[5:]]
            changed += row["completion_ids"] != ids
    assert changed > 3
    study.traces = study.traces.with_columns(
        pl.Series("completion_ids", [row["completion_ids"] for row in rows]).cast(
            pl.List(pl.Int32)
        )
    )
    after = fitted(study, "changed").directions
    for group in ("vectors", "norms", "shuffled"):
        for name, values in getattr(before, group).items():
            assert torch.equal(values, getattr(after, group)[name]), name


def test_pairs_lie_in_one_part(study: Study) -> None:
    """No pair with a member in each part is judged, and both parts have pairs."""
    pairs = DIRECTION_PAIRS.frame(fitted(study).pairs)
    members = study.matches.filter(contrast="backtrack_control")
    fit_part = fit_problems(study)
    inside = members.group_by("pair").agg(pl.col("problem").is_in(fit_part).mean())
    probe = pairs.filter(direction=PROBE, boundary=1)
    for part, share in (("fit", 1.0), ("test", 0.0)):
        wanted = set(inside.filter(problem=share)["pair"])
        assert set(probe.filter(part=part)["pair"]) == wanted != set()


def test_batches_and_shards_do_not_matter(study: Study) -> None:
    """Sums are in one order: small batches move nothing by more than rounding."""
    large = fitted(study, batch_memory=1.0).directions
    small = fitted(study, "small", shards=3, batch_memory=0.0001).directions
    assert large.vectors.keys() == small.vectors.keys()
    for name, values in large.vectors.items():
        assert torch.allclose(values, small.vectors[name], atol=2e-4), name
        assert torch.allclose(large.norms[name], small.norms[name], atol=1e-5), name
    again = fitted(study, "again", shards=3, batch_memory=1.0).directions
    for name, values in large.vectors.items():
        assert torch.equal(values, again.vectors[name]), name


def test_thoughts_read_alone_agree(study: Study) -> None:
    """The verification compares every thought, within its bound."""
    checks = fitted(study).checks
    read = study.traces.filter(pl.col("problem").is_in(fit_problems(study))).height
    assert checks[0].n == read
    assert 0 < checks[0].value < checks[0].bound


def test_absent_directions_have_a_reason(tmp_path: Path, model: ModelSettings) -> None:
    """Without backtracks, paragraphs and second arrivals no recipe is made up."""
    steps = [
        [p for p in pieces_of(k) if p[0] in ("other", "wrap_up")] for k in range(8)
    ]
    study = study_with(tmp_path, model, [(f"{k}/0", p) for k, p in enumerate(steps)])
    result = fitted(study)
    rows = DIRECTIONS.frame(result.rows)
    reasons = dict(rows.unique("direction").select("direction", "why_not").iter_rows())
    assert set(result.directions.vectors) == {"wrap_up"}
    assert reasons.pop("wrap_up") is None
    assert set(reasons) == {*MEANS, PROBE} - {"wrap_up"}
    assert all("fewer than" in text for text in reasons.values())
    absent = rows.filter(pl.col("why_not").is_not_null())
    assert absent["norm"].null_count() == absent.height
    assert result.units == []
    assert "there is no probe" in result.note


def test_a_limit_on_thoughts(study: Study) -> None:
    """Only so many thoughts are read; more include the same."""
    result = fitted(study, thoughts=3, least_problems=1)
    assert result.progress.items == 3
    cases = DIRECTIONS.frame(result.rows).filter(direction="ward_1_1")["cases"][0]
    whole = DIRECTIONS.frame(fitted(study, "whole").rows)
    assert 0 < cases < whole.filter(direction="ward_1_1")["cases"][0]
