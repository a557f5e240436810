"""Reference answers of several data sets."""

import pytest

from doubletake.running.errors import InputError
from doubletake.text.golds import CHOICE, EXPRESSION, NUMBER, gold_of, kind_of

GERMAN = "Ein Stift kostet 1,25 Euro. Was kosten 1000 Stifte?"


@pytest.mark.parametrize(
    ("text", "gold", "kind"),
    [
        ("25", "25", NUMBER),
        ("36-11=25\n####25", "25", NUMBER),
        (r"It is $\boxed{\frac14}$.", "0.25", NUMBER),
        (r"\frac14", "0.25", NUMBER),
        (r"#### \boxed{5}", "5", NUMBER),
        (r"First \boxed{3}. So it is \boxed{4}.", "4", NUMBER),
        ("#### 1,00,000", "100000", NUMBER),
        (r"15\mbox{ cm}^2", "15", NUMBER),
        (r"90^\circ", "90", NUMBER),
        ("$12.5\\%$", "12.5", NUMBER),
        ("B", "B", CHOICE),
        (r"\text{(B)}", "B", CHOICE),
        (r"#### 2\sqrt{2}", r"2\sqrt{2}", EXPRESSION),
        (
            r"\left( 3, \frac{\pi}{2} \right)",
            r"\left( 3, \frac{\pi}{2} \right)",
            EXPRESSION,
        ),
        ("p - q", "p - q", EXPRESSION),
        ("1,-2", "1,-2", EXPRESSION),
        ("204_5", "204_5", EXPRESSION),
        (r"\text{Evelyn}", r"\text{Evelyn}", EXPRESSION),
    ],
)
def test_golds(text, gold, kind):
    assert gold_of(text) == gold
    assert kind_of(gold) == kind


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; a reference answer is a number"),
        ("#### ~25", "not a number: '~25'; a reference answer is"),
        ("#### 20-25", "not a number"),
        ("#### 25 or 26", "not a number"),
        ("#### Paris", "not a number"),
        ("yes", r"not a number: 'yes' \(no ####, no .boxed\)"),
        ("None", "not a number"),
        ("3:5", "not a number"),
        ("5 apples", "not a number"),
        (r"\boxed{1} and \boxed{2}", "not a number: '1, 2'"),
        ("3,5", "two readings; write '3.5' for one number, or '\\(3,5\\)' for two"),
    ],
)
def test_other_texts_are_refused_with_a_way_out(text, message):
    with pytest.raises(InputError, match=message):
        gold_of(text)


def test_a_question_with_decimal_commas_decides_or_leaves_two_readings():
    assert gold_of("3,5", GERMAN) == "3.5"
    assert gold_of("1.250,00", GERMAN) == "1250"
    for text in ("1.250", "1,250"):
        with pytest.raises(InputError, match="decimals with a comma; write it without"):
            gold_of(text, GERMAN)
    assert gold_of("1250", GERMAN) == "1250"
