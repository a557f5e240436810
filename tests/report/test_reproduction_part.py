"""What the page says of published numbers."""

import pytest
from tiny_reproduction import REFERENCES, settings

from report.reproduction_part import reproduction_part
from report.reproduction_sheets import MANY
from reproduction.claims import all_claims
from reproduction.run import Run
from reproduction.table_rows import rows_of
from reproduction.tables import OURS, PUBLISHED, REPRODUCTION

CLAIMS = all_claims(REFERENCES)
NAMES = [claim.name for claim in CLAIMS]
EMPTY = Run({}, settings(), published=False)
NO_RUN = "no run by the published recipe"


def table(changes=(), runs=None):
    """The table of a study without tables, with changes by claim and recipe."""
    rows = rows_of("m/d", CLAIMS, REFERENCES, runs or {PUBLISHED: NO_RUN, OURS: EMPTY})
    for claim, recipe, change in changes:
        for row in rows:
            if (row["claim"], row["recipe"]) == (claim, recipe):
                row |= change
    return REPRODUCTION.frame(rows)


def said(given):
    return " ".join(reproduction_part(given, 0.95).sentences)


def judged(claim, recipe, verdict, **numbers):
    return claim, recipe, {"verdict": verdict, "why": "", **numbers}


def cells(given, claim, sheets=slice(None)):
    """The line of a claim."""
    quantity = next(one.quantity for one in CLAIMS if one.name == claim)
    lines = [
        row
        for sheet in reproduction_part(given, 0.95).sheets[sheets]
        for row in sheet.rows
        if row[1] == quantity
    ]
    assert len(lines) == 1
    return lines[0]


def test_no_study_and_an_empty_study_are_not_checked():
    assert said(REPRODUCTION.frame([])) == "Not checked: no study has a number."
    text = said(table())
    assert "m on d, by the published recipe: not measured (no run" in text
    assert "m on d, by our recipe: of 14 statements, 14 not measured" in text
    assert "disagree" not in text


def test_verdicts_are_counted_by_recipe():
    text = said(
        table(
            [
                judged("exit_jump", OURS, "reproduced"),
                judged("last_part", OURS, "not reproduced"),
                ("overlap", OURS, {"verdict": "not comparable", "why": "other model"}),
            ]
        )
    )
    assert (
        "of 14 statements, 1 reproduced, 1 not reproduced and 12 not measured" in text
    )
    assert "1 not comparable" in text
    assert "not comparable because of: other model." in text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (
            "not reproduced",
            "the recipes disagree on \u201cStep of the logit per arrival",
        ),
        ("reproduced", "both recipes agree on all 1 claim that both can judge"),
    ],
)
def test_where_the_recipes_disagree_is_said(verdict, words):
    changes = [
        judged("exit_rise_later", PUBLISHED, "reproduced"),
        judged("exit_rise_later", OURS, verdict),
    ]
    assert words in said(table(changes))


def test_a_cell_holds_verdict_number_interval_and_cases():
    numbers = {"value": 0.123, "value_low": -0.1, "value_high": 0.5, "cases": 1234}
    given = table(
        [
            judged("filter_share", OURS, "reproduced", **numbers),
            judged("exit_accuracy_jump", OURS, "reproduced", **numbers, note="beside"),
            judged("exit_jump", OURS, "reproduced", value=9.876, cases=3),
        ]
    )
    assert cells(given, "filter_share", slice(2))[2:] == (
        "about 40%",
        "not measured",
        "reproduced: 12.3% (\u221210.0% to 50.0%), n\u202f1,234",
    )
    assert cells(given, "exit_accuracy_jump", slice(2))[4] == (
        "reproduced: +12.3 (\u221210.0 to +50.0), n\u202f1,234; beside"
    )
    assert cells(given, "exit_jump", slice(2))[4] == "reproduced: 9.88, n\u202f3"
    assert cells(given, "exit_logit_4_1")[2] == "23.98"


def test_every_claim_has_a_line_and_a_source():
    statements, numbers, logits, sources = reproduction_part(table(), 0.95).sheets
    many = [name for name in NAMES if name.startswith(MANY)]
    assert len(logits.rows) == len(many)
    assert len(statements.rows) + len(numbers.rows) == len(NAMES) - len(many)
    assert len(sources.rows) == len(NAMES) - len(many)
    assert {row[1] for row in sources.rows} == {"[1]", "[2]"}
    assert "[1] ARBOR project" in sources.note
    assert "arborproject.github.io/issues/22: deepseek-ai/" in sources.note
    assert all(row[3] for row in sources.rows)
    assert "no stage of the workflow writes the table" in sources.rows[0][4]


def test_the_tables_are_open_and_their_lines_wrap():
    """A column of words wraps, so that no table is wider than the page."""
    sheets = reproduction_part(table(), 0.95).sheets
    assert [sheet.folds for sheet in sheets] == [False, False, True, True]
    for sheet in sheets:
        assert sheet.words == tuple(range(len(sheet.columns)))
