"""The explorer's data: chunks, lists, records of thoughts and turns."""

import json

import polars as pl
import pytest
from checkouts import ROOT
from tiny_explorer import HOSTILE, shown, write_made_up_study
from tiny_models import tokenizer_settings

from doubletake.study.registry import tables as contracts
from doubletake.study.study_tables import StudyTables
from doubletake.text.tokenizer import load_tokenizer
from explorer.chunks import read_chunk, write_chunk
from explorer.part import DIGITS, Part
from explorer.parts import (
    THOUGHT_PARTS,
    TURN_PARTS,
    VIEWS,
    needed_tables,
    shown_views,
)
from explorer.study_data import legend
from explorer.thoughts import listed, steps
from explorer.turns import HEADS, PROFILES, head_rows, lens_rows, profiles
from explorer.write import main


@pytest.fixture(scope="module")
def model():
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="module")
def study(tmp_path_factory, model):
    folder = tmp_path_factory.mktemp("study")
    write_made_up_study(folder, load_tokenizer(model), 5)
    return folder


def test_a_chunk_gives_its_data_back_and_is_always_equal(tmp_path):
    data = {"a": [1, 2.5, None, "</script>\u2028\U0001f600"]}
    for name in ("one", "two"):
        write_chunk(tmp_path, name, data)
        assert read_chunk(tmp_path, name) == data
    one, two = ((tmp_path / f"{name}.js").read_bytes() for name in ("one", "two"))
    assert one.replace(b'"one"', b'"two"') == two
    assert one.isascii()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_chunk(tmp_path, "bad", [float("nan")])


def test_every_shown_column_is_in_its_table():
    known = contracts()
    for part in (*THOUGHT_PARTS, *TURN_PARTS):
        names = [column.name for column in known[part.table].columns]
        assert {*part.columns, *part.keys} <= set(names), part.name
        if part.only:
            name, values = part.only
            (column,) = (c for c in known[part.table].columns if c.name == name)
            assert set(values) <= set(column.values), part.name
    assert len({part.name for part in (*THOUGHT_PARTS, *TURN_PARTS)}) == len(
        (*THOUGHT_PARTS, *TURN_PARTS)
    )
    for name, part in legend().items():
        assert len(part.get("meanings", [])) in (0, len(part.get("columns", []))), name


def test_views_decide_which_tables_are_needed():
    assert needed_tables([]) == ["problems", "traces", "events"]
    every = needed_tables(VIEWS)
    assert {"attribution", "attention/heads", "exit_policies/stops"} <= set(every)
    assert set(every) <= set(contracts())
    assert len(every) == len(set(every))
    for view in VIEWS:
        assert set(needed_tables([view])) < set(every)


def test_views_without_tables_are_absent():
    assert shown_views(VIEWS, needed_tables(VIEWS)) == set(VIEWS)
    assert shown_views(VIEWS, needed_tables([])) == set()
    for view in VIEWS:
        assert shown_views(VIEWS, needed_tables([view])) == {view}
        assert shown_views([], needed_tables([view])) == set()
    cases = {
        ("turns", "trial_points", "ablation"): set(),
        ("attention",): set(),
        ("mistakes",): set(),
        ("mistakes/edits",): {"texts"},
        ("attribution/tokens",): set(),
        ("attribution", "attribution/tokens"): {"attribution"},
        ("online_exit",): {"rules"},
    }
    for tables, views in cases.items():
        assert shown_views(VIEWS, [*needed_tables([]), *tables]) == views, tables


def test_numbers_keep_their_digits():
    table = pl.DataFrame(
        {"trace": ["a", "a", "b"], "x": [1 / 3, 2e-7 / 3, None], "n": [1, 2, 3]},
    ).with_columns(many=pl.concat_list("x", "x").cast(pl.List(pl.Float32)))
    rows = Part("p", "t", ("x", "n", "many")).rows(table)
    assert [key for (key,) in rows] == ["a", "b"]
    assert rows["a",][0][:2] == [pytest.approx(1 / 3, rel=10**-DIGITS), 1]
    assert rows["a",][1][0] == 6.66667e-08
    assert rows["b",] == [[None, 3, [None, None]]]


def test_a_part_keeps_the_rows_that_are_shown():
    table = pl.DataFrame(
        {"trace": ["a", "a", "a", "b"], "kind": ["x", "x", "y", "y"], "n": [1, 1, 2, 3]}
    )
    assert Part("p", "t", ("n",)).rows(table)["a",] == [[1], [1], [2]]
    assert Part("p", "t", ("n",), distinct=True).rows(table)["a",] == [[1], [2]]
    only = Part("p", "t", ("n",), only=("kind", ("y",))).rows(table)
    assert only == {("a",): [[2]], ("b",): [[3]]}


def test_the_list_says_what_the_tables_say(study):
    rows = listed(StudyTables(study), exits=False)
    assert rows["trace"].to_list() == [f"{k:05d}/0" for k in range(5)]
    assert rows["correct"].to_list() == [True, True, True, True, True]
    assert rows["arrivals"].to_list()[2:] == [4, 4, 4]
    assert rows["backtracks"].to_list()[2:] == [1, 1, 1]
    assert rows["cues"].to_list()[2] == ["check"]
    assert rows["first_right"].all()
    assert rows["first_logprob"].null_count() == 5


def test_records_hold_texts_and_tokens(study, model, tmp_path):
    folder = tmp_path / "explorer"
    source = ROOT / "workflow/explorer"
    main(studies=[shown(study, "a/b")], models=[model], source=source, folder=folder)
    index = read_chunk(folder / "data", "index")
    assert index["studies"][0]["thoughts"] == 5
    (first, *_) = read_chunk(folder / "data", "0-thoughts-0")
    assert first["text"] == HOSTILE
    tokenizer = load_tokenizer(model)
    traces = StudyTables(study)["traces"]
    row = traces.row(0, named=True)
    assert steps(row["offsets"]) == first["offsets"]
    assert first["prompt"] == tokenizer.decode(row["prompt_ids"])[0]
    assert "exits" not in first
    text = json.dumps(index)
    assert str(study) not in text
    assert (folder / "index.html").read_text() == (source / "index.html").read_text()


def test_a_second_run_replaces_the_first(study, model, tmp_path):
    folder = tmp_path / "explorer"
    for _ in range(2):
        main(
            studies=[shown(study, "a/b")],
            models=[model],
            source=ROOT / "workflow/explorer",
            folder=folder,
        )
        (folder / "data/old.js").write_text("old")
    assert len(list((folder / "data").iterdir())) == 4


def test_profiles_keep_the_highest_tokens():
    count, layers = PROFILES + 40, 3
    scores = [float(k * 7 % count) for k in range(count)]
    part = {("t", 1): [[count, 0.0, 0, scores, scores]]}
    table = pl.DataFrame(
        {
            "trace": ["t"] * layers,
            "event": [1] * layers,
            "layer": [2, 0, 1],
            "component": ["resid"] * layers,
            "scores": [[layer + k for k in range(count)] for layer in (2.0, 0.0, 1.0)],
        }
    )
    found = profiles(table, part)["t", 1]
    assert len(found["tokens"]) == PROFILES
    assert min(scores[k] for k in found["tokens"]) == count - PROFILES
    for layer, values in enumerate(found["layers"]):
        assert values == [layer + k for k in found["tokens"]]


def test_only_leading_heads_are_shown():
    bins = ("bos", "question", *(f"part_{k}" for k in range(1, 6)))
    attention = pl.DataFrame(
        [
            {
                "trace": "t",
                "event": 1,
                "layer": layer,
                **{name: [float("nan"), 0.2] for name in bins[:1]},
                **{name: [0.1 * layer, 0.2] for name in bins[1:]},
                "current_sentence": [0.5, 0.5],
                "arrival_sentence": None,
                "dla_backtrack": [1.0, 2.0],
                "dla_wrap_up": [3.0, 4.0],
            }
            for layer in range(3)
        ]
    )
    heads = pl.DataFrame(
        [
            {"measure": "dla_backtrack", "kind": kind, "rank": rank, "layer": layer}
            | {"head": head}
            for kind in ("backtrack", "control")
            for rank, (layer, head) in enumerate([(2, 1), (0, 0)], start=HEADS)
        ]
    )
    first = heads.with_columns(head=pl.lit(0))
    assert head_rows(attention, first)["t", 1][0][2][0] is None  # it is not finite
    (row,) = head_rows(attention, heads)["t", 1]
    assert row[:2] == [2, 1]
    assert row[2] == [0.2] * 7 + [0.5, None]
    assert row[3:] == [2.0, 4.0]


def test_the_lens_has_texts():
    lens = pl.DataFrame(
        {
            "trace": ["t", "t", "t"],
            "event": [1, 1, 1],
            "component": ["resid", "resid", "mlp_out"],
            "layer": [1, 0, 0],
            "backtrack": [1.0, 2.0, 3.0],
            "wrap_up": [1.0, 2.0, 3.0],
            "backtrack_logprob": [-1.0, -2.0, -3.0],
            "top_ids": [[5, 6], [7, 5], [1, 1]],
        }
    )
    rows = lens_rows(lens, lambda token: f"<{token}>")["t", 1]
    assert [(row[0], row[-1]) for row in rows] == [
        (0, ["<7>", "<5>"]),
        (1, ["<5>", "<6>"]),
    ]
