"""The four questions, and the links of figures."""

import re
from base64 import b64decode
from importlib import import_module
from urllib.parse import unquote

import polars as pl
from tiny_report import Study

from doubletake.study.registry import experiments, tables
from overview.panels import PANELS
from overview.reading import QUESTIONS
from report.figure_links import (
    VIEWS,
    explorer_address,
    figure_links,
    flat,
    named_tables,
)


def test_four_questions_come_first_each_with_a_figure_and_an_answer(render):
    page = render(Study(), Study("more"))
    assert len(QUESTIONS) == 4
    places = [page.text.index(one.text) for one in QUESTIONS]
    assert places == sorted(places)
    assert places[-1] < page.text.index("The traces in numbers")
    images = [attributes for tag, attributes in page.tags if tag == "img"][:4]
    for image, question in zip(images, QUESTIONS, strict=True):
        assert image["alt"].startswith(question.text)
        assert b"<svg" in b64decode(image["src"].partition(",")[2])
    for name in ("tiny on data:", "tiny on more:"):
        assert page.words.count(name) >= 4


def test_every_question_has_a_panel_and_an_experiment():
    assert [one.name for one in QUESTIONS] == list(PANELS)
    for question in QUESTIONS:
        page = import_module(f"{question.experiment}.page")
        assert callable(getattr(page, question.answer))


def test_every_caption_names_tables_that_exist():
    known = tables()
    for experiment in experiments():
        for figure in experiment.figures:
            named = named_tables(figure)
            assert named, (experiment.name, figure.name)
            assert set(named) <= set(known), (experiment.name, figure.name)


def test_the_numbers_of_every_figure_lie_beside_the_page(render, tmp_path):
    study = Study()
    page = render(study)
    links = [unquote(value) for value in page.values("href")]
    files = [link for link in links if link.endswith(".csv")]
    assert len(files) > 20
    for link in files:
        assert (tmp_path / link).is_file(), link
    table = pl.read_csv(tmp_path / "numbers/tiny/data/early_exit/summary.csv")
    assert table.columns == [c.name for c in tables()["early_exit/summary"].columns]
    assert any(link.endswith(".svg") for link in links)


def test_links_of_a_figure():
    experiment = next(one for one in experiments() if one.name == "attribution")
    figure = experiment.figures[0]
    (name, *_) = named_tables(figure)
    with_csv = figure_links("a b/c", experiment, figure, {name: None})
    assert with_csv[0].address == f"a%20b/c/attribution/{figure.name}.svg"
    assert with_csv[1].address == f"numbers/a%20b/c/{name}.csv"
    without = figure_links("a b/c", experiment, figure, {})
    assert without[1].address == f"a%20b/c/{name}.parquet"
    state = "#/list?study=a+b%2Fc&view=attribution&backtracks-min=1"
    assert with_csv[-1].address == f"explorer/index.html{state}"
    assert explorer_address("a/b", "probing").endswith("#/list?study=a%2Fb")


def test_views_are_those_of_the_explorer():
    from checkouts import ROOT

    script = (ROOT / "workflow/explorer/app/views.js").read_text()
    known = set(re.findall(r"^    (\w+): \{ title", script, flags=re.MULTILINE))
    assert set(VIEWS.values()) <= known
    assert set(VIEWS) <= {one.name for one in experiments()}


def test_only_tables_without_lists_are_flat():
    assert flat(pl.DataFrame({"a": [1], "b": ["x"]}))
    assert not flat(pl.DataFrame({"a": [[1]]}))


def test_every_answer_is_one_sentence(render):
    page = render(Study())
    answers = [" ".join(one.split()) for one in page.blocks if "Details" in one]
    assert len(answers) >= len(QUESTIONS)
    for answer in answers[: len(QUESTIONS)]:
        text = answer.removesuffix("Details · CSV").strip()
        assert text.endswith(".")
        assert not re.search(r"[.?!] [A-Z]", text), text
