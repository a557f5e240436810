"""Cosines beside those of shuffled labels: false claims, known units, exact shares."""

import numpy as np
import pytest
import torch

from doubletake.stats.swapped_labels import swapped_labels
from value_vectors.alignment import (
    alignment_row,
    alignment_table,
    alignments,
    held_shares,
)
from value_vectors.null_directions import (
    FittedCases,
    fitted_directions,
    newton_directions,
)
from value_vectors.tables import LEVEL

torch.set_num_threads(1)

WIDTH, UNITS, CASES = 32, 96, 40
DRAWS, SIMULATIONS = 80, 500
AXES = np.linalg.qr(np.random.default_rng(9).normal(size=(WIDTH, WIDTH))).Q
PAIRS = np.arange(CASES) // 2


def layer(rng):
    """States of pairs that vary along few directions, to which the units write more.

    Along the other directions, the members of a pair are alike and pairs differ.
    """
    scales = np.exp(-np.arange(WIDTH) / 4) + 0.05
    resid = rng.normal(size=(CASES, WIDTH)) * scales @ AXES
    resid += (rng.normal(size=(CASES // 2, WIDTH)) * scales[::-1] @ AXES)[PAIRS]
    vectors = rng.normal(size=(UNITS, WIDTH)) * np.sqrt(scales) @ AXES
    return resid, vectors


def labels_of_pairs(rng):
    return swapped_labels(np.arange(CASES) % 2 == 0, PAIRS, 1, rng)[0]


def p_of(vectors, direction, null):
    directions = np.concatenate([direction, null])
    tensor = torch.from_numpy(vectors).float()
    found = alignments(tensor, directions, listed=3, checked=5)
    rows = [alignment_row(0, side, found[side]) for side in found]
    return alignment_table(rows)


def simulated(rng, planted):
    """The alignment of a layer whose labels mean nothing, or something."""
    resid, vectors = layer(rng)
    labels = labels_of_pairs(rng)
    if planted:
        vectors[7] = rng.normal(size=WIDTH) / 5
        resid += 3 * labels[:, None] * vectors[7]
    direction = fitted_directions(resid, labels[None], 1e-3)
    shuffled = swapped_labels(labels, PAIRS, DRAWS, rng)
    return p_of(vectors, direction, newton_directions(resid, shuffled, 1e-3))


def test_directions_of_no_meaning_are_claimed_at_the_nominal_rate():
    rng = np.random.default_rng(0)
    p = [simulated(rng, False)["p_holm"].min() for _ in range(SIMULATIONS)]
    claims = np.array(p) <= LEVEL
    assert np.mean(claims) < LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / SIMULATIONS)
    assert np.mean(claims) > 0


def test_random_vectors_as_null_would_claim_directions_of_no_meaning():
    """Why the labels are shuffled instead."""

    def unit_vectors(rng, *_):
        null = rng.normal(size=(DRAWS, WIDTH))
        return null / np.linalg.norm(null, axis=1, keepdims=True)

    assert false_claims(unit_vectors) > 0.2


def test_labels_permuted_over_all_cases_would_claim_directions_of_no_meaning():
    """Why they are swapped within pairs instead."""

    def permuted(rng, resid, labels):
        shuffled = rng.permuted(np.tile(labels, (DRAWS, 1)), axis=1)
        return newton_directions(resid, shuffled, 1e-3)

    assert false_claims(permuted) > 0.2


def false_claims(null_of):
    """Share of layers without an effect that are claimed with another null."""
    rng = np.random.default_rng(0)
    claims = []
    for _ in range(60):
        resid, vectors = layer(rng)
        labels = labels_of_pairs(rng)
        direction = fitted_directions(resid, labels[None], 1e-3)
        table = p_of(vectors, direction, null_of(rng, resid, labels))
        claims.append(table["p_holm"].min() <= LEVEL)
    return np.mean(claims)


def test_a_unit_that_makes_the_direction_is_found():
    rng = np.random.default_rng(1)
    found = [simulated(rng, True).filter(side="for")["p_holm"][0] for _ in range(40)]
    assert np.mean(np.array(found) <= LEVEL) > 0.9


@pytest.mark.parametrize("strength", [1e-4, 0.05, 1.0])
def test_one_step_is_close_to_a_complete_fit(strength):
    rng = np.random.default_rng(2)
    resid, _ = layer(rng)
    resid[:, 3] = 1.0  # never varies: no weight
    cases = FittedCases(resid, np.arange(CASES) % 2 == 0, PAIRS, strength)
    null = cases.null_directions(DRAWS, np.random.default_rng(0))
    assert null.vectors.shape == (DRAWS, WIDTH)
    assert null.verified == 8
    assert 0 < null.error < (0.01 if strength < 1e-3 else 0.2)
    assert (null.vectors[:, 3] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(null.vectors, axis=1), 1)


def test_one_step_is_newtons_on_the_probes_loss():
    rng = np.random.default_rng(3)
    resid = rng.normal(size=(12, 4))
    labels, strength = np.arange(12) < 6, 0.3
    rows = (resid - resid.mean(0)) / resid.std(0)
    signs = np.where(labels, 1, -1) / 12
    hessian = rows.T @ rows / 48 + np.eye(4) / (12 * strength)
    weight = np.linalg.solve(hessian, rows.T @ signs / 2) / resid.std(0)
    (found,) = newton_directions(resid, labels[None], strength)
    np.testing.assert_allclose(found, weight / np.linalg.norm(weight))


def test_the_share_is_that_of_the_best_sum_of_the_vectors():
    rng = np.random.default_rng(4)
    vectors, direction = rng.normal(size=(3, 8)), rng.normal(size=8)
    direction /= np.linalg.norm(direction)
    sum_of, *_ = np.linalg.lstsq(vectors.T, direction)
    left = direction - vectors.T @ sum_of
    shares = held_shares(torch.tensor(vectors[None]), torch.tensor(direction[None]))
    assert shares[0].item() == pytest.approx(1 - left @ left)
    whole = held_shares(torch.eye(8)[None], torch.ones(1, 8) / np.sqrt(8))
    assert whole[0].item() == pytest.approx(1.0)


def test_rows_hold_both_sides_with_their_signs():
    vectors = torch.eye(4)
    direction = np.array([[0.8, -0.6, 0.0, 0.0]])
    null = np.array([[0.6, 0.0, 0.8, 0.0], [0.0, 1.0, 0.0, 0.0]])
    found = alignments(vectors, np.concatenate([direction, null]), listed=2, checked=1)
    first, second = (alignment_row(5, side, found[side]) for side in found)
    assert first["cosine"] == pytest.approx(0.8)
    assert second["cosine"] == pytest.approx(-0.6)
    assert first["as_large"] == 2
    assert first["p"] == 1.0
    assert second["as_large"] == 0
    assert second["p"] == pytest.approx(1 / 3)
    assert first["share"] == pytest.approx(0.64)
