"""Stems that are continued: draws, limits, random numbers, rows."""

import polars as pl
import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_pocket_study import write_pocket_study

from doubletake.model.continued_thoughts import Stem, continued
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.running.logs import Progress
from doubletake.text.drawn_thoughts import drawn_thoughts
from doubletake.text.tokenizer import load_tokenizer
from problems.tables import PROBLEMS
from traces.tables import TRACES

SAMPLING = Sampling(0.6, 0.95, 5)
LIMIT = 200


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    torch.set_num_threads(1)
    settings = tokenizer_settings(ROOT / "resources/pocket")
    decoder, tokenizer = load_decoder(settings), load_tokenizer(settings)
    folder = tmp_path_factory.mktemp("study")
    write_pocket_study(folder, decoder, tokenizer, 4, LIMIT)
    tables = (
        TRACES.read(folder / "traces.parquet"),
        PROBLEMS.read(folder / "problems.parquet"),
    )
    return decoder, tokenizer, drawn_thoughts(*tables, None, 0, "1-of-1")


def go(study, stems, batch_size=8, limit=LIMIT):
    decoder, tokenizer, _ = study
    progress = Progress(0, "continuations")
    return continued(decoder, tokenizer, stems, SAMPLING, limit, batch_size, progress)


def stem(thought, kept, name="own", **changes):
    return Stem(thought, name, tuple(thought.trace["completion_ids"][:kept]), **changes)


def test_draws_differ_and_keep_the_given_tokens(study):
    thoughts = study[2]
    stems = [stem(one, 30, draws=3) for one in thoughts]
    found, notes = go(study, stems)
    assert not notes
    assert [(one.stem, one.draw) for one in found] == [
        (one, draw) for one in stems for draw in range(3)
    ]
    for one in found:
        assert one.completion.ids[:30] == list(one.stem.ids)
        given = study[1].decode(list(one.stem.ids))[0]
        assert one.row["text"] == given + one.text
        assert one.row["problem"] == one.stem.thought.trace["problem"]
    assert len({tuple(one.ids) for one in found}) > len(stems)


def test_neither_batch_nor_company_changes_a_token(study):
    thoughts = study[2]
    stems = [stem(one, 20, draws=2) for one in thoughts]

    def tokens(parts, batch_size):
        return [one.completion.ids for one in go(study, parts, batch_size)[0]]

    together = tokens(stems, 8)
    assert tokens(stems, 3) == together
    assert [ids for part in stems for ids in tokens([part], 8)] == together


def test_stems_of_one_key_draw_equal_numbers(study):
    one = study[2][0]
    stems = [
        stem(one, 30, "a"),
        stem(one, 30, "b"),
        stem(one, 30, "c", key="other"),
    ]
    first, second, third = go(study, stems)[0]
    assert first.ids == second.ids != third.ids


def test_limits(study):
    one = study[2][0]
    (short,), notes = go(study, [stem(one, 30, max_tokens=4)])
    assert len(short.ids) == 4
    assert short.limited
    assert not short.closed
    assert not notes
    found, notes = go(study, [stem(one, 30)], limit=30)
    assert not found
    assert notes == [f"{one.name} (own): no room for a token"]


def test_events_lie_in_the_whole_text(study):
    found, _ = go(study, [stem(one, 30, draws=2) for one in study[2]])
    arrivals = [
        (one.row["text"][event.start : event.end], event.value)
        for one in found
        for event in one.events("rules").arrivals
    ]
    assert arrivals
    assert all(text == value for text, value in arrivals if text.isdigit())


def test_two_stems_of_one_name_are_refused(study):
    one = study[2][0]
    with pytest.raises(ValueError, match="two stems own of trace 00000/0"):
        go(study, [stem(one, 30), stem(one, 20)])


def test_rows_can_be_a_table(study):
    found, _ = go(study, [stem(one, 30) for one in study[2]])
    frame = TRACES.frame([one.row for one in found])
    assert isinstance(frame, pl.DataFrame)
    assert frame.height == len(found)
