"""Turns: positions and most likely tokens against plain forward passes."""

import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal
from tiny_matches import pair_rows
from tiny_turns import EVERY, LENGTHS, WORDS, write_turns_study

from doubletake.tables.verification import VERIFICATION
from doubletake.text.tokenizer import load_tokenizer
from matches.tables import MATCHES
from turns import locate as locate_turns
from turns.reading import white_space_ids
from turns.tables import TURN_WORDS, TURNS


@pytest.fixture(scope="module")
def study(model, tmp_path_factory):
    return write_turns_study(tmp_path_factory.mktemp("turns"), model)


def located(study, settings) -> pl.DataFrame:
    study.locate(settings)
    return TURNS.read(study.folder / "turns.parquet")


def test_every_sentence_is_predicted_as_by_the_model(study):
    turns = located(study, EVERY)
    assert turns.height == 4 * len(LENGTHS)
    words = {"Wai", " Wai", "Al", " Al", "che", " che", "Che"}
    white_space = white_space_ids(load_tokenizer(study.model))
    for row in turns.iter_rows(named=True):
        ids = study.ids(row["trace"])
        with torch.no_grad():
            logits = study.decoder.hf(ids).logits[0, row["position"]]
        assert row["next_id"] == int(ids[0, row["position"] + 1])
        logprob = float(logits.log_softmax(-1)[row["next_id"]])
        logits[white_space] = -torch.inf
        assert row["predicted_id"] == int(logits.argmax())
        assert row["logprob"] == pytest.approx(logprob, abs=1e-5)
        assert row["is_word"] == (row["predicted_text"] in words)


def test_white_space_is_never_the_most_likely_token(study, monkeypatch):
    leading = located(study, EVERY)["predicted_id"].unique()
    left_out = torch.tensor(leading.to_list()[:1])
    monkeypatch.setattr(locate_turns, "white_space_ids", lambda _: left_out)
    found = located(study, EVERY)["predicted_id"]
    assert not set(left_out.tolist()) & set(found)


def test_the_selection_follows_the_config(study):
    every = located(study, EVERY)
    assert every.filter(pl.col("kind") != "control")["selected"].all()
    first = located(study, locate_turns.Settings("first", False, WORDS))
    back = first.filter(kind="backtrack")
    assert (back["selected"] == (back["ordinal"] == 1)).all()
    assert first.filter(kind="wrap_up")["selected"].all()
    assert first.filter(kind="control")["selected"].sum() == len(LENGTHS)


def test_the_published_filter_keeps_backtracks_with_a_predicted_word(study):
    every = located(study, EVERY)
    predicted_ids = every.filter(kind="backtrack")["predicted_id"]
    rows = [
        {"group": group, "word": "w", "token_id": token_id, "text": "w"}
        for group, token_id in (("backtrack", predicted_ids[0]), ("wrap_up", 0))
    ]
    table = locate_turns.turns_table(
        every.drop("logprob", "predicted_id", "predicted_text", "is_word", "selected"),
        torch.tensor(every["predicted_id"].to_list()),
        torch.tensor(every["logprob"].to_list()),
        TURN_WORDS.frame(rows),
        MATCHES.read(study.matches_path),
        load_tokenizer(study.model),
        locate_turns.Settings("every", True, WORDS),
    )
    back = table.filter(kind="backtrack")
    assert (back["selected"] == (back["predicted_id"] == predicted_ids[0])).all()
    assert 0 < back["selected"].sum() < back.height


def test_the_cache_is_checked_against_the_generated_logprobs(study):
    located(study, EVERY)
    path = study.folder / "verification.parquet"
    checks = VERIFICATION.read(path)
    difference = checks.filter(statistic="max |difference|").row(0, named=True)
    assert difference["n"] == 4 * len(LENGTHS)
    assert 0 < difference["value"] < 1e-4
    share = checks.filter(statistic="share").row(0, named=True)
    assert share["n"] == len(LENGTHS)


def test_imported_thoughts_have_no_logprobs_to_compare(study):
    turns = located(study, EVERY)
    missing = pl.Series([None] * turns.height, dtype=pl.Float32)
    row = locate_turns.checks_of(turns, missing, "float32").row(0, named=True)
    assert (row["value"], row["n"]) == (None, 0)


def test_a_study_without_backtracks_gives_an_empty_table(study):
    sentences = locate_turns.sentence_starts(
        pl.read_parquet(study.files["traces_path"]),
        pl.read_parquet(study.files["events_path"]).clear(),
        pl.read_parquet(study.files["index_path"]),
    )
    assert sentences.height == 0
    words = pl.read_parquet(study.folder / "words.parquet")
    empty = torch.zeros(0)
    table = locate_turns.turns_table(
        sentences, empty.long(), empty, words, MATCHES.frame([]), None, EVERY
    )
    assert_frame_equal(table, TURNS.frame([]))


def selected(matches: list[dict]) -> list[tuple[str, int]]:
    """Selected turns: first backtracks, wrap-ups, and partners of first backtracks.

    Args:
        matches: pairs of backtrack and control.
    """
    kinds = ["backtrack", "control", "backtrack", "control", "wrap_up"]
    rows = [
        {"trace": trace, "event": event, "kind": kind, "is_word": False}
        | {"ordinal": 1 + kinds[:event].count(kind)}
        for trace in ("a/0", "b/0")
        for event, kind in enumerate(kinds)
    ]
    table = locate_turns.with_selected(
        pl.DataFrame(rows).cast({"event": pl.Int32}),
        MATCHES.frame(matches),
        locate_turns.Settings("first", False, WORDS),
    )
    return table.filter("selected").select("trace", "event").rows()


def test_controls_are_selected_as_partners_of_selected_backtracks():
    alone = [("a/0", 0), ("a/0", 4), ("b/0", 0), ("b/0", 4)]
    assert selected([]) == alone
    first, second = ("a/0", 0, 0), ("a/0", 2, 2)
    near, far = ("a/0", 3, 3), ("b/0", 1, 1)
    pairs = [(first, far), (second, near)]
    assert selected(pair_rows("backtrack_control", pairs)) == sorted(
        [*alone, ("b/0", 1)]
    )
    of_wrap_ups = pair_rows("wrap_up_control", [(("a/0", 4, 4), near)])
    assert selected(of_wrap_ups) == alone
