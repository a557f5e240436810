"""Labels in any script, with and without fonts for it, show no box."""

import warnings

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from doubletake.page.fonts import drawable, fallback_families
from doubletake.page.plots import new_figure, save_figure, write_note

LABELS = {
    "Chinese": "\u7b49\u7b49",
    "Arabic": "\u0627\u0646\u062a\u0638\u0631",
    "Arabic and Chinese": "\u0627\u0646\u7b49\u062a\u0638\u0631",
    "emoji": "\u2705 \U0001f914",
    "family emoji": "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "Hindi": "\u0928\u092e\u0938\u094d\u0924\u0947",
    "marks": "e\u0301\u0323",
    "a mark alone": "\u0301",
    "tab": "a\tb",
    "reversed": "abc\u202edef",
    "half a character": "\ufffd",
}


def figure_with(label):
    """Every kind of label that a figure of the workflow has."""
    figure, axes = new_figure(columns=2, height=6, extra_width=8)
    figure.suptitle(label)
    bars, lines = axes[0]
    bars.set(title=label, xlabel=label, ylabel=label)
    bars.barh([0, 1], [1, 2])
    bars.set_yticks([0, 1], [label, "wait"])
    bars.text(0.5, 0.5, label)
    lines.bar([label, "wait"], [1, 2])
    lines.axhline(1, label=label)
    lines.annotate(label, (0, 1))
    lines.set_yscale("log")
    lines.legend(title=label)
    figure.legend(*lines.get_legend_handles_labels(), loc="outside right upper")
    write_note(figure, label, "a note")
    return figure


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
def test_no_glyph_is_missing(tmp_path, label):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure_with(label), tmp_path / "figure.svg")
    assert "<text" not in (tmp_path / "figure.svg").read_text()


def test_without_the_fonts_a_glyph_would_be_missing(tmp_path):
    """The warning that the test above would see."""
    with pytest.warns(UserWarning, match="Glyph 31561"):
        figure_with(LABELS["Chinese"]).savefig(tmp_path / "figure.svg")


@pytest.fixture
def font_with(tmp_path):
    """Installs a font with the given characters, all of them squares or blank."""
    installed = font_manager.fontManager.ttflist
    before = list(installed)

    def install(characters, name, blank=False):
        pen = TTGlyphPen(None)
        if not blank:
            pen.moveTo((0, 0))
            for corner in ((0, 500), (500, 500), (500, 0)):
                pen.lineTo(corner)
            pen.closePath()
        builder = FontBuilder(1000)
        builder.setupGlyphOrder([".notdef", "square"])
        builder.setupCharacterMap({ord(c): "square" for c in characters})
        builder.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
        builder.setupHorizontalMetrics({".notdef": (600, 0), "square": (600, 0)})
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable({"familyName": name, "styleName": "Regular"})
        builder.setupOS2(usWeightClass=400)
        builder.setupPost()
        builder.save(tmp_path / f"{name}.ttf")
        font_manager.fontManager.addfont(tmp_path / f"{name}.ttf")

    yield install
    installed[:] = before


def test_a_font_that_has_the_characters_draws_them(tmp_path, font_with):
    chinese = LABELS["Chinese"]
    assert fallback_families(chinese) == []
    font_with(chinese, "Squares")
    assert fallback_families(chinese) == ["Squares"]
    figure = figure_with(f"{chinese} \u0928")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(figure, tmp_path / "figure.svg")
    bars = figure.axes[0]
    shown = f"{chinese} \\u0928"  # no font has the Hindi letter
    assert bars.get_title(loc="left") == bars.get_xlabel() == shown
    assert [label.get_text() for label in bars.get_yticklabels()] == [shown, "wait"]


def test_only_needed_fonts_with_outlines_are_taken(font_with):
    font_with("\u7b49", "A blank one", blank=True)
    font_with("\u7b49", "B squares")
    font_with("\u7b49\u4e2d", "C more squares")
    assert fallback_families("\u7b49") == ["B squares"]
    assert fallback_families("\u7b49\u4e2d") == ["B squares", "C more squares"]
    assert fallback_families("") == []


def test_characters_without_a_font_are_named():
    properties = FontProperties(family="DejaVu Sans")
    assert drawable("a\u7b49\n\U00012345", properties) == "a\\u7b49\n\\U00012345"
    assert drawable("", properties) == ""
    assert drawable("a\u202eb", properties) == "a[U+202E]b"
    assert drawable("\u0301", properties) == "\u25cc\u0301"
    assert drawable("plain \u2423 e\u0301", properties) == "plain \u2423 e\u0301"
    assert drawable("\u0627\u7b49", properties) == "\u0627\u200e\\u7b49\u200e"


def test_arabic_runs_from_right_to_left():
    """The tall alef is the first letter, so it stands on the right of the flat beh."""
    corners = TextPath((0, 0), "\u0627\u0628", prop=FontProperties(size=10)).vertices
    tallest = corners[corners[:, 1].argmax(), 0]
    assert tallest > corners[:, 0].mean()


def test_a_figure_that_needs_no_other_font_keeps_its_texts(tmp_path, font_with):
    """Its bytes do not depend on the installed fonts."""
    save_figure(figure_with("wait"), tmp_path / "before.svg")
    font_with("wait", "Squares")
    save_figure(figure_with("wait"), tmp_path / "after.svg")
    before, after = (tmp_path / f"{name}.svg" for name in ("before", "after"))
    assert before.read_bytes() == after.read_bytes()
