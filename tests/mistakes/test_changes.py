"""What is changed where: places, wrong numbers, words; and whether it is said again."""

from fractions import Fraction

import pytest
from tiny_mistakes import thought_of

from doubletake.text.equations import equations_of
from mistakes.changes import Wording, change_at, nouns_of
from mistakes.names import CHOSEN
from mistakes.sites import own_site, sites_of
from mistakes.targets import Target
from mistakes.wrong_numbers import OFFSETS, as_written, wrong_number

TEXT = (
    "Tom has 23 red pens, so 23 + 16 = 39. He sells 15, so 39 - 15 = 24. "
    "Then 24 / 3 = 8. Wait, let me check. 23 + 16 = 39. So the answer is 8."
)
EVENTS = (("arrival", "8"), ("backtrack", "Wait"))
QUESTION = "Tom has 23 red pens and 16 pens. He sells 15. 3 friends share 4 cups."
WORDING = Wording(0, "Filler.", "At answer.", "Wait", ["cups", "pens"], planted=False)


def thought(text=TEXT, events=EVENTS, **changes):
    return thought_of(text, events, question=QUESTION, **changes)


def changed(one, place, kind, wording=WORDING):
    """The text of the sentence with its change; None without a change."""
    (site,) = [site for site in sites_of(one) if site.place == place]
    change = change_at(one, site, kind, wording)
    if change is None:
        return None
    (start, end), (first, last) = change.sentence, change.span
    return one.text[start:first] + change.text + one.text[last:end] + change.appended


def test_places_are_the_first_the_middle_and_the_last_equation_before_the_turn():
    sites = {site.place: site for site in sites_of(thought())}
    texts = {place: TEXT[slice(*site.sentence)] for place, site in sites.items()}
    assert texts == {
        "early": "Tom has 23 red pens, so 23 + 16 = 39.",
        "middle": "He sells 15, so 39 - 15 = 24.",
        "last": "Then 24 / 3 = 8.",
        "final": "So the answer is 8.",
    }
    one = thought("8 - 3 = 5. 3 + 5 = 8.", [("arrival", "8")])
    assert [site.place for site in sites_of(one)] == ["early", "last"]


@pytest.mark.parametrize(
    ("text", "events", "changes", "places"),
    [
        (TEXT, EVENTS, {"correct": False}, []),
        (TEXT.replace("= 24.", "= 25."), EVENTS, {}, ["final"]),
        (TEXT, (*EVENTS, ("arrival", "24 / 3 = 8", False)), {}, ["final"]),
        ("So the answer is 8.", [("arrival", "8")], {}, ["final"]),
        ("3 + 5 = 9. So it is 8.", [("arrival", "8")], {}, []),
        ("Nothing here.", [], {}, []),
    ],
)
def test_only_text_that_is_right_so_far_is_changed(text, events, changes, places):
    assert [site.place for site in sites_of(thought(text, events, **changes))] == places


def test_every_kind_changes_what_its_name_says():
    one = thought()
    assert changed(one, "early", "none") == "Tom has 23 red pens, so 23 + 16 = 39."
    assert changed(one, "early", "opposite") == "Tom has 23 red pens, so 23 + 16 = 7."
    assert changed(one, "early", "unit") is None  # the question has both nouns
    assert changed(one, "middle", "opposite") == "He sells 15, so 39 - 15 = 54."
    assert changed(one, "last", "opposite") is None
    assert changed(one, "last", "unit") is None
    assert changed(one, "early", "answer") is None
    assert changed(one, "last", "filler") == "Then 24 / 3 = 8.Filler."
    assert changed(one, "final", "filler") == "So the answer is 8.At answer."
    assert changed(one, "final", "paraphrase") == "Therefore, the answer is 8."
    assert changed(one, "last", "paraphrase") == "Then 24 divided by 3 equals 8."
    for place in ("early", "middle", "last"):
        wrong, waits = (changed(one, place, kind) for kind in ("result", "wait"))
        (equation,) = equations_of(wrong)
        assert not equation.is_true
        assert waits == f"{wrong}Wait"
    (operand,) = equations_of(changed(one, "middle", "operand"))
    assert operand.task[0] == 39  # the other number is that of the question
    assert not operand.is_true
    answer = changed(one, "final", "answer")
    assert answer != "So the answer is 8."
    assert answer.startswith("So the answer is ")


def test_a_unit_is_another_noun_of_the_study():
    one = thought_of(TEXT, EVENTS, question="How many?")
    assert changed(one, "early", "unit") == "Tom has 23 red cups, so 23 + 16 = 39."
    assert nouns_of(["2 red pens, 3 cups", "4 pens", "no $5 bills"]) == ["cups", "pens"]


def test_paraphrases_of_the_planted_language_are_of_the_language():
    planted = Wording(0, "F.", "F.", "Wait", [], planted=True)
    one = thought()
    assert changed(one, "early", "paraphrase", planted) == "23 + 16 = 39."
    assert changed(one, "final", "paraphrase", planted) is None
    one = thought("3 + 5 = 8. It is.", [("arrival", "8")])
    assert changed(one, "last", "paraphrase", planted) == "Then 3 + 5 = 8."
    dollars = thought("So $3 + $5 = $8.", [("arrival", "8")])
    assert changed(dollars, "last", "paraphrase") == "So $3 plus $5 equals $8."
    minus = thought("3 - 5 = -2. It is 8.", [("arrival", "8")])
    assert changed(minus, "last", "paraphrase") == "3 minus 5 equals -2."
    assert changed(minus, "last", "result") is None


def test_an_own_slip_is_the_first_false_equation_before_the_turn():
    text = "23 + 16 = 39. 39 - 15 = 54. Wait, no."
    one = thought(text, [("backtrack", "Wait")], correct=False)
    site = own_site(one)
    assert text[slice(*site.sentence)] == "39 - 15 = 54."
    change = change_at(one, site, "mended", WORDING)
    assert (text[slice(*change.span)], change.text) == ("54", "24")
    assert change_at(one, site, "own", WORDING).text == ""
    assert own_site(thought()) is None
    late = "23 + 16 = 39. Wait, 3 + 5 = 9."
    assert own_site(thought(late, [("backtrack", "Wait")])) is None


def test_wrong_numbers_are_near_and_as_long_and_never_refused():
    for value in range(1, 300):
        refused = {Fraction(value), Fraction(value + 5)}
        text = wrong_number(str(value), f"case {value}", 0, refused)
        assert Fraction(text) not in refused
        assert abs(int(text) - value) in OFFSETS
        if 20 <= value < 80 or value > 120:
            assert len(text) == len(str(value))
    draws = {wrong_number("50", f"case {k}", 0, {Fraction(50)}) for k in range(60)}
    assert len(draws) == 10
    assert wrong_number("50", "a", 1, set()) == wrong_number("50", "a", 1, set())
    assert wrong_number("1,250.50", "a", 0, set())[:6] == "1,250."
    assert as_written(Fraction(5, 2), "3.50") == "2.50"
    assert as_written(Fraction(1250), "9,999") == "1,250"
    assert as_written(Fraction(5, 2), "3") is None


def test_a_right_statement_is_found_again():
    (equation,) = equations_of("23 + 16 = 39")
    target = Target(task=equation.task)
    assert target.stated_in("So 16 + 23 = 39.")
    assert not target.stated_in("So 23 + 16 = 40. 39 is it.")
    (equation,) = equations_of("23 - 16 = 7")
    assert not Target(task=equation.task).stated_in("16 - 23 = -7")
    assert Target(value="1250").stated_in("It is $1,250.")
    assert not Target(value="1250").stated_in("It is 250.")
    assert Target(phrase="23 red pens").stated_in("He has 23 red pens.")
    assert not Target(phrase="23 red pens").stated_in("He has 123 red pens.")


def test_the_config_can_choose_every_kind_but_the_baselines():
    assert not {"none", "mended", "planted"} & set(CHOSEN)
