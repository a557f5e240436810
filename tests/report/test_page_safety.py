"""The page is one file that holds its figures and makes foreign text harmless."""

import re
from base64 import b64decode
from dataclasses import replace
from pathlib import Path

import pytest
from html_pages import Page
from tiny_report import (
    CHECK,
    FIGURE,
    HERE,
    HOSTILE,
    RIGHT,
    RUN,
    Study,
    event_rows,
    trace_row,
)

from doubletake.running.errors import InputError
from doubletake.study.registry import experiments, stages_with
from doubletake.tables.runs import RUNS


def test_nothing_is_loaded_and_nothing_acts(render):
    page = render(Study())
    tags = {tag for tag, _ in page.tags}
    assert not tags & {"script", "link", "svg", "iframe", "object", "embed"}
    assert "@import" not in page.html
    assert not page.values("srcset", "action", "onload", "xlink:href")
    assert all(v.startswith("data:image/svg+xml;base64,") for v in page.values("src"))
    own = re.compile(r"(#|numbers/|overview/|explorer/index\.html|[\w%.-]+/[\w%.-]+/)")
    for address in page.values("href"):
        assert own.match(address), address
        assert ":" not in address
    assert "url(" not in page.html
    assert "example.org" not in page.html


def test_ids_are_unique_and_references_have_their_target(render):
    page = render(Study(), Study("more"))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    inside = {value[1:] for value in page.values("href") if value[0] == "#"}
    assert inside <= set(ids)
    assert {f"tiny/data/{one.name}" for one in experiments()} <= inside


def test_every_figure_is_inside_the_page_with_caption_and_cases(render):
    page = render(Study())
    images = [attributes for tag, attributes in page.tags if tag == "img"]
    assert len(images) == sum(len(one.figures) for one in experiments()) + 4
    for image in images[4:]:
        data = b64decode(image["src"].partition(",")[2])
        assert data.decode().startswith(FIGURE)
        assert image["alt"].endswith("tiny on data")
        assert image["style"] == "max-width:120pt"
    assert page.says("n = 2", "2 of 4")
    assert page.says("calibration error", "0.150")


def test_hostile_text_is_shown_and_does_nothing(render):
    study = Study()
    thought = f"It is 8. {HOSTILE}"
    study.rows["traces"][0] = trace_row("a", thought, "8") | {"answer": HOSTILE}
    study.rows["events"] = event_rows("a", thought)
    study.rows["problems"][0]["question"] = HOSTILE
    study.run = RUN | {"note": HOSTILE}
    study.checks = [CHECK | {"check": HOSTILE}]
    page = render(study)
    shown = HOSTILE.translate({0x1B: "\u241b", 0: "\u2400"})
    shown = shown.replace("\u202e", "[U+202E]").replace("\u202c", "[U+202C]")
    # As question (twice), thought, answer, check, and the note of every stage.
    assert page.words.count(shown) == 5 + len(stages_with(RUNS))
    assert not {tag for tag, _ in page.tags} & {"script"}
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", page.html)


def test_the_text_of_an_example_is_marked_but_kept(render):
    study = Study()
    study.rows = {
        name: [r for r in rows if r.get("trace", "a/0") == "a/0"]
        for name, rows in study.rows.items()
    }
    html = render(study).html
    thought = re.search(r'<div class="thought">(.*?)</div>', html, re.DOTALL)[1]
    note = r'<span class="exit .*?(?:</span>){2}\n?</span>'
    bare = re.sub(note, "", thought, flags=re.DOTALL)
    bare = re.sub(r'<span class="sign">.</span>|<sup.*?</sup>', "", bare)
    assert re.sub(r"<[^>]*>", "", bare) == RIGHT
    assert thought.count('<span class="arrival">8</span>') == 2
    assert '<span class="backtrack">Wait, let me check.</span>' in thought
    assert '<span class="wrap_up">Done.</span>' in thought
    notes = [
        " ".join(Page(n).text.split()) for n in re.findall(note, thought, re.DOTALL)
    ]
    assert notes == [
        "before any thought3 ✗ wrong0.100",
        "arrival 110 tokens in8 ✓ right0.900",
        "arrival 242 tokens in8 ✓ right0.950",
    ]
    # The exit stands where the thought is cut: behind the sentence.
    assert re.search(r"</sup>\.<span class=\"exit right", thought)


def test_two_studies_share_a_page(render):
    page = render(Study(), Study("more"))
    assert page.has("tiny on data 4 75.0%")
    assert page.has("tiny on more 4 75.0%")
    assert {"tiny/data", "tiny/more"} < set(page.values("id"))


def test_equal_input_gives_an_equal_page(render):
    first = render(Study()).html
    assert render(Study()).html == first
    elsewhere = replace(HERE, commit="def456", machine="abacus", written="2099")
    second = render(Study(), provenance=elsewhere).html
    for name in ("commit", "machine", "written"):
        assert getattr(elsewhere, name) in second
        second = second.replace(getattr(elsewhere, name), getattr(HERE, name))
    assert second == first


def test_a_damaged_manifest_is_named(render):
    class Damaged(Study):
        def write_manifest(self, folder: Path) -> str:
            path = Path(super().write_manifest(folder))
            path.write_text(path.read_text().replace(HERE.commit, "abc124"))
            return str(path)

    with pytest.raises(InputError, match=r"manifest\.json is damaged .* delete it"):
        render(Damaged())


def test_a_broken_figure_is_named(render):
    study = Study()
    study.figure = "<svg"
    with pytest.raises(InputError, match=r"cannot read figure .*confidence\.svg"):
        render(study)
    study.figure = "<html></html>"
    with pytest.raises(InputError, match=r"confidence\.svg: not an SVG but <html>"):
        render(study)
