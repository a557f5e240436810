"""Recipes: windows, breaks, shuffled labels that stay within problems; the split."""

import numpy as np
import pytest
from tiny_fits import many_thoughts, rows_of

from directions.recipes import Recipe, Unit, recipes_of, shuffled_labels
from directions.split import parts_of, thoughts_to_read
from directions.windows import check_windows, window_name
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer


@pytest.fixture
def recipes(model: ModelSettings) -> dict[str, Recipe]:
    tokenizer = load_tokenizer(model)
    made = [rows_of(tokenizer, name, pieces) for name, pieces in many_thoughts()]
    traces = [trace for trace, _ in made]
    events = {trace["trace"]: rows for trace, rows in made}
    return {r.name: r for r in recipes_of(traces, events, [(-1, -1), (-13, -8)])}


def test_names_of_windows() -> None:
    """The published window has the plain name, also if the config repeats it."""
    assert window_name((-13, -8)) == "ward"
    assert window_name((-7, -2)) == "ward_7_2"


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    """The message names the key and what was meant."""
    check_windows([[-7, -2], [-1, -1]])
    with pytest.raises(InputError, match=r"directions.windows: \[-2, -7\] ends before"):
        check_windows([[-7, -2], [-2, -7]])


def test_the_published_window_is_not_fitted_twice(recipes: dict[str, Recipe]) -> None:
    """`windows` may hold it, too."""
    names = {"ward", "ward_1_1", "venhoff", "wrap_up", "seal", "arrivals"}
    assert set(recipes) == names


def test_shuffled_labels_stay_within_problems(recipes: dict[str, Recipe]) -> None:
    """Each problem keeps its number of labels, and some labels move."""
    for recipe in recipes.values():
        problems = np.array([unit.problem for unit in recipe.units])
        draws = shuffled_labels(recipe, 4, seed=1)
        for labels in draws:
            for problem in set(problems):
                at = problems == problem
                assert labels[at].sum() == recipe.labels[at].sum()
        assert (draws != recipe.labels).any(1).all()
        assert len({labels.tobytes() for labels in draws}) == 4


def test_other_problems_do_not_change_a_shuffle(recipes: dict[str, Recipe]) -> None:
    """Each problem has its own draws; they follow from the seed."""
    recipe = recipes["venhoff"]
    own = [k for k, unit in enumerate(recipe.units) if unit.problem in ("3", "4")]
    part = Recipe(recipe.name, tuple(recipe.units[k] for k in own), recipe.against_all)
    whole = shuffled_labels(recipe, 3, seed=1)
    assert (shuffled_labels(part, 3, seed=1) == whole[:, own]).all()
    assert (shuffled_labels(recipe, 3, seed=2) != whole).any()


@pytest.mark.parametrize(
    ("first", "second", "least", "text"),
    [
        (["a", "b"], ["a", "b"], 2, None),
        (["a", "a"], ["a", "b"], 2, "paragraphs that turn back: 2 of 1 fit problem(s)"),
        (["a", "b"], ["b"], 2, "other paragraphs: 1 of 1 fit problem(s), fewer than 2"),
        (
            [],
            ["b"],
            0,
            "paragraphs that turn back: 0 of 0 fit problem(s), fewer than 1",
        ),
    ],
)
def test_why_there_is_no_direction(first, second, least, text) -> None:
    """Both classes need enough problems, and at least one case."""
    sides = [(name, True) for name in first] + [(name, False) for name in second]
    units = tuple(Unit(f"{p}/0", p, (1,), label) for p, label in sides)
    reason = Recipe("seal", units, against_all=False).why_not(least)
    assert reason is None if text is None else str(reason).startswith(text)


def test_the_parts_of_the_problems() -> None:
    """Their shares hold, and neither order nor repeats change them."""
    problems = [f"p{k}" for k in range(101)]
    parts = parts_of(problems, 0.3, seed=0)
    assert list(parts.values()).count("fit") == 30
    assert parts == parts_of([*problems[::-1], "p4"], 0.3, seed=0)
    assert parts != parts_of(problems, 0.3, seed=1)
    assert sorted(parts_of(["a", "b"], 0.01, 0).values()) == ["fit", "test"]
    assert sorted(parts_of(["a", "b"], 0.99, 0).values()) == ["fit", "test"]
    assert parts_of([], 0.5, 0) == {}


def test_the_thoughts_to_read() -> None:
    """A larger limit reads the same thoughts and more."""
    names = [f"p{k}/0" for k in range(20)]
    few, more = (thoughts_to_read(names, limit, 0) for limit in (5, 9))
    assert len(few) == 5
    assert few < more
    assert thoughts_to_read(names, None, 0) == set(names)
