"""The sentences on ablations follow from the tests; empty tables are said to be so."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from tiny_ablation_tables import study, text_row, version_row
from tiny_report import SETTINGS

from ablation.page import SECTION
from ablation.plot import draw_coherence, draw_effects
from ablation.rates import decoded_rates
from ablation.summarise import effects_of
from ablation.tables import (
    ABLATION,
    ABLATION_DECODED,
    ABLATION_EFFECTS,
    ABLATION_RATES,
    ABLATION_SETS,
    ABLATION_VERSIONS,
)
from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings

INTERVALS = IntervalSettings(**SETTINGS["intervals"])
TABLES = (
    *(ABLATION, ABLATION_VERSIONS, ABLATION_SETS),
    *(ABLATION_DECODED, ABLATION_EFFECTS, ABLATION_RATES),
)
LEAD = "leading_units/20/zero"


def data(tables, decoded=(), source="others.jsonl"):
    """A study for the page, with the summaries of these tables."""
    texts = ABLATION_DECODED.frame(list(decoded))
    found = dict(
        zip(("ablation", "ablation/versions", "ablation/sets"), tables, strict=True)
    )
    found["ablation/decoded"] = texts
    found["ablation/effects"] = effects_of(*tables, INTERVALS)
    found["ablation/rates"] = decoded_rates(texts, INTERVALS)
    settings = {"ablation": {"tokens": 16}, "dataset": {"source": source}}
    return StudyData("tiny", "data", found, SETTINGS | settings)


def targets(lead, places=16):
    """Leading units shift the probability by `lead`; aligned ones do nothing."""
    rng = np.random.default_rng(0)
    random = 0.4 + 0.01 * rng.standard_normal((99, 1)) + np.zeros(places)
    noise = 0.001 * rng.standard_normal(places)
    return {
        "leading_units": (0.4 + lead + noise, random),
        "aligned_units": (0.4 + noise, random),
    }


def test_the_headline_names_what_is_lower_than_random_and_what_is_not():
    text = SECTION.headline(data(study(targets(-0.1))))
    assert text.startswith("Taking away 20 leading units at 0 lowers the probability")
    assert "more than random ones do; 1 other ablation does not (rank among at" in text
    assert "99 random sets each, corrected for 2 tests; 16 places, 16 test" in text
    none = SECTION.headline(data(study(targets(0.1))))
    assert none.startswith("None of 2 ablations lowers the probability of turning back")
    few = SECTION.headline(data(study(targets(-0.1, 2), np.full(2, 0.4))))
    assert few == "Not checked: too few problems (2 places, 2 test problems)."


def test_targets_that_were_added_late_confirm_nothing_on_the_study_of_the_design():
    warning = "were added to the design after the others had failed"
    own = "/somewhere/resources/pocket/problems.jsonl"
    late = {"supporting_units": targets(-0.1)["leading_units"]}
    assert warning in SECTION.headline(data(study(late), source=own))
    assert warning not in SECTION.headline(data(study(late)))
    early = SECTION.headline(data(study(targets(-0.1)), source=own))
    assert warning not in early


def test_findings_give_the_effect_beside_random_sets_and_the_published_shares():
    text = " ".join(SECTION.findings(data(study(targets(-0.1)))))
    assert "20 leading units at 0: 30.0% against 40.0% without, −10.0 points" in text
    assert "99 sets of as many units of the same layers that write as much" in text
    assert "lower than without and lower than random ones (p 0.010, correct" in text
    assert "not lower than random ones" in text
    assert "Targeted / random / no ablation: 30.0% / 40.1% / 40.0% here" in text
    assert "2.8% / 54.9% / 68.1% in a public run" in text
    assert "Nothing was decoded, so rates" in text


@pytest.mark.parametrize(
    ("fall", "spread", "says"),
    [
        (-1.0, 0.05, "finds the text less likely, so more than turning back is taken"),
        (
            0.0,
            0.05,
            "it is not told whether the plain model finds the text less likely",
        ),
        (
            -0.6,
            2.0,
            "it is not told whether the plain model finds the text less likely",
        ),
        (0.5, 0.05, "the plain model finds the text more likely"),
    ],
)
def test_the_coherence_of_a_claim_follows_from_the_interval(fall, spread, says):
    noise = np.random.default_rng(1).normal(0, spread, 16)
    noise -= noise.mean()
    texts = [
        row
        for k in range(16)
        for row in (
            text_row("continuation", "none", k, backtracks=k % 2),
            text_row("continuation", LEAD, k, logprob=-1.0 + fall + noise[k]),
            text_row("thought", "none", k, backtracks=2),
            text_row("thought", LEAD, k, closed=k > 0),
        )
    ]
    text = " ".join(SECTION.findings(data(study(targets(-0.1)), texts)))
    assert "With 20 leading units at 0, " in text
    assert says in text
    assert "50% turn back without an ablation" in text
    assert "4.00 backtracks per 100 tokens without an ablation (100% right, 0" in text
    assert "with 20 leading units at 0 0.00 (100% right, 1 without an end)" in text


def test_what_could_not_be_measured_has_its_reason():
    places, versions, sets = study(targets(-0.1))
    rows = versions.to_dicts()
    rows.append(version_row("supporting_units", why_not="no unit", claimed=False))
    rows.append(
        version_row("probe", 4, "project", projection=-0.4)
        | {"claimed": True, "why_not": None}
    )
    rows.append(version_row("ward", 4, "project", projection=-0.001))
    rows[1]["replaceable"] = 0
    text = " ".join(
        SECTION.findings(data((places, ABLATION_VERSIONS.frame(rows), sets)))
    )
    assert "Not measured: 20 supporting units at 0; no unit." in text
    assert "no others write as much: 20 aligned units at 0." in text
    assert "lie below 0 along the probe’s direction (−0.40 residual norms), so" in text


def test_sheets_figures_and_cases():
    texts = [
        row
        for k in range(16)
        for row in (
            text_row("continuation", "none", k, backtracks=k % 2),
            text_row("continuation", LEAD, k, backtracks=k % 3, logprob=-1.1),
        )
    ]
    found = data(study(targets(-0.1)), texts)
    effects, rates = SECTION.sheets(found)
    assert len(effects.rows) == 2
    assert [row[1] for row in rates.rows] == ["nothing", LEAD]
    assert all(len(row) == len(effects.columns) for row in effects.rows)
    assert all(len(row) == len(rates.columns) for row in rates.rows)
    assert "16 places after arrivals on 16 test problems; 198 random" in SECTION.cases[
        "effects"
    ](found)
    assert "16 continuations and 0 whole thoughts" in SECTION.cases["coherence"](found)
    tables = found.tables
    figure = draw_effects(tables["ablation/effects"], tables["ablation/sets"])
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["aligned units, 20, zero", "leading units, 20, zero"]
    marks = draw_coherence(tables["ablation/rates"], 0.95)
    assert [panel.get_title(loc="left") for panel in marks.axes[:2]] == [
        "Continuations",
        "Whole thoughts",
    ]


def test_empty_tables_are_said_to_be_empty():
    tables = {table.name: table.frame([]) for table in TABLES}
    empty = StudyData("tiny", "data", tables, SETTINGS)
    assert SECTION.headline(empty).startswith("Not checked: no thought of a test")
    assert SECTION.findings(empty) == []
    assert SECTION.sheets(empty) == []
    for text in SECTION.cases.values():
        assert text(empty)
    effects = draw_effects(tables["ablation/effects"], tables["ablation/sets"])
    coherence = draw_coherence(tables["ablation/rates"], 0.95)
    assert isinstance(effects, Figure)
    assert "Nothing to draw" in coherence.axes[0].texts[0].get_text()
