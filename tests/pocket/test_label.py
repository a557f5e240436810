"""The script makes the shipped labels, and labels are at the right characters."""

from pathlib import Path

from pocket.label import Settings, label_rows, main

SHIPPED = Path(__file__).parents[2] / "resources/pocket/labelled_traces.jsonl"


def test_the_shipped_file_is_reproduced(tmp_path):
    main(labels_path=tmp_path / "labels.jsonl", settings=Settings(traces=60, seed=0))
    assert (tmp_path / "labels.jsonl").read_bytes() == SHIPPED.read_bytes()


def test_labels_are_at_their_characters():
    rows = label_rows(Settings(traces=20, seed=3))
    assert len({row["question"] for row in rows}) == len(rows) == 20
    for row in rows:
        for arrival in row["arrivals"]:
            assert row["thought"][: arrival["end"]].endswith(arrival["value"])
        for backtrack in row["backtracks"]:
            assert row["thought"].startswith(backtrack["cue"], backtrack["start"])


def test_another_seed_gives_other_thoughts():
    one, two = (label_rows(Settings(traces=3, seed=seed)) for seed in (1, 2))
    assert one != two
