"""Watched places of branches against plain passes of one sequence at a time."""

from dataclasses import replace

import pytest
import torch
from tiny_architectures import settings_of
from tiny_branches import ids_of, pairs, said_by
from tiny_windows import plain_logits

from doubletake.model.branch_rows import batch_bytes, continue_branches, replay_unpacked
from doubletake.model.branches import Branch, Prefix
from doubletake.model.loading import load_decoder
from doubletake.model.watched_places import Watch, next_tokens

WATCHED = (Watch(0, 7), Watch(2, 40), Watch(0, 90), Watch(1, 3), Watch(3, 7))
"""At the cut, inside the suffix and after it, in no order."""


@pytest.fixture(scope="module", params=["llama", "gemma2", "qwen3_moe"])
def decoder(architectures, request):
    torch.set_num_threads(1)
    return load_decoder(settings_of(architectures[request.param]))


def prefixes_of(watched=WATCHED):
    shapes = [(40, [1, 17, 40, 17]), (11, [11]), (38, [38, 2])]
    return [
        Prefix(
            f"{k}/0",
            ids_of(length, k),
            [Branch(cut, tuple(ids_of(3, cut)), 4, watched=watched) for cut in cuts],
        )
        for k, (length, cuts) in enumerate(shapes)
    ]


def test_watched_places_equal_plain_passes(decoder):
    prefixes = prefixes_of()
    for prefix, branch, one in pairs(prefixes, said_by(decoder, prefixes)):
        logits = plain_logits(decoder, [*prefix.ids[: branch.cut], *branch.suffix])
        assert len(one.watched) == len(WATCHED)
        for watch, seen in zip(WATCHED, one.watched, strict=True):
            row = logits[branch.cut + watch.place - 1].double().log_softmax(-1)
            others = [p for k, p in enumerate(row.tolist()) if k != watch.token]
            own = float(row[watch.token])
            raw = logits[branch.cut + watch.place - 1]
            assert seen.logprob == pytest.approx(own, abs=1e-4)
            assert seen.logit == pytest.approx(float(raw[watch.token]), abs=1e-4)
            assert seen.best_other_logprob == pytest.approx(max(others), abs=1e-4)
            assert seen.entropy == pytest.approx(-float((row.exp() * row).sum()), 1e-4)
            assert abs(seen.rank - sum(p > own for p in others)) <= 1


def test_a_plain_replay_watches_the_same_places(decoder):
    prefixes = prefixes_of()
    for prefix, branch, one in pairs(prefixes, said_by(decoder, prefixes)):
        plain, choices = replay_unpacked(decoder, prefix.ids, branch, one.tokens)
        assert choices == one.tokens
        for seen, again in zip(one.watched, plain.watched, strict=True):
            assert tuple(seen) == pytest.approx(tuple(again), abs=1e-4)


def test_watching_changes_no_continuation(decoder):
    watching, not_watching = (
        said_by(decoder, prefixes_of(watched)) for watched in (WATCHED, ())
    )
    for one, other in zip(watching, not_watching, strict=True):
        assert [c.tokens for c in one] == [c.tokens for c in other]
        assert [c.logprobs for c in one] == [c.logprobs for c in other]
        assert all(not c.watched for c in other)


def test_a_place_beyond_the_suffix_is_refused(decoder):
    branch = Branch(2, (5, 6), 3, watched=(Watch(3, 1),))
    with pytest.raises(ValueError, match="no branch"):
        list(continue_branches(decoder, [Prefix("a", [1, 2, 3], [branch])], 0.01))


def test_the_rank_counts_the_tokens_above():
    logits = torch.tensor([[0.0, 3.0, 1.0, 2.0], [5.0, 1.0, 1.0, 1.0]])
    first, second = next_tokens(logits, [2, 0])
    assert (first.rank, second.rank) == (2, 0)
    assert first.best_other_logprob == pytest.approx(
        float(logits[0].log_softmax(-1)[1])
    )
    assert second.best_other_logprob < second.logprob


def test_many_watched_places_need_more_memory(decoder):
    row = _row(WATCHED * 8)
    few = replace(row, branches=[replace(row.branches[0], watched=())])
    assert batch_bytes(decoder, [row] * 3) > batch_bytes(decoder, [few] * 3)


def _row(watched):
    from doubletake.model.branch_rows import _rows_of

    prefix = Prefix("a", ids_of(5, 1), [Branch(5, (1, 2, 3), 2, watched=watched)])
    return _rows_of(0, prefix)[0]
