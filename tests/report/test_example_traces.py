"""The choice of example traces: spread over outcomes, drawn by seed."""

import polars as pl

from report.example_traces import choose


def test_examples_are_spread_and_seeded():
    names = [f"t{i:02d}" for i in range(40)]
    thoughts = pl.DataFrame(
        {
            "trace": names,
            "closed": [True] * 39 + [False],
            "correct": [True] * 38 + [False] * 2,
            "arrivals": [2] * 40,
            "backtracks": [0] * 20 + [7] * 20,
            "first_gold": [True] * 37 + [False] * 3,
        }
    )
    chosen = choose(thoughts, 6, "0")
    assert {"t37", "t38", "t39"} < set(chosen)  # mended, wrong, open: one each
    assert any(name < "t20" for name in chosen)
    assert len(set(chosen)) == 6
    assert chosen == choose(thoughts.reverse(), 6, "0")
    assert chosen != choose(thoughts, 6, "1")
    assert choose(thoughts, 0, "0") == []
    assert sorted(choose(thoughts, 99, "0")) == names
