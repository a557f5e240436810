r"""Numbers written in many forms: each is read right, or refused with its text.

A seed draws values, forms and sentences. A form is read whole or not at all: never as
another number.
"""

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest

from doubletake.running.errors import InputError
from doubletake.text.final_answers import final_answer
from doubletake.text.golds import gold_of
from doubletake.text.grading import Task, judged
from doubletake.text.number_words import TENS, UNITS
from doubletake.text.numerals import fraction_text, numerals

CASES = 4000
Form = Callable[[random.Random], tuple[str, Fraction | None]]
"""Draws a written number and its value; None: it is no number, or has two readings."""

SEPARATORS = (",", "{,}", r"\,", r",\!", "\u202f", "\u00a0", "~", "'", "_")
VULGAR = {"½": (1, 2), "⅓": (1, 3), "¼": (1, 4), "¾": (3, 4), "⅔": (2, 3), "⅞": (7, 8)}
CHINESE = "零一二三四五六七八九"


def grouped(count: int, separator: str, dot: str = "", decimals: str = "") -> str:
    return f"{count:,}".replace(",", separator) + dot + decimals


def big(rng: random.Random) -> int:
    return rng.randrange(1000, 10 ** rng.randrange(4, 13))


def western(rng: random.Random) -> tuple[str, Fraction]:
    count, cents = big(rng), rng.randrange(100)
    if rng.random() < 0.5:
        return grouped(count, rng.choice(SEPARATORS)), Fraction(count)
    text = grouped(count, rng.choice(SEPARATORS), ".", f"{cents:02}")
    return text, count + Fraction(cents, 100)


def european(rng: random.Random) -> tuple[str, Fraction]:
    count, cents = big(rng), rng.randrange(100)
    separator = rng.choice((".", " ", "\u202f", "~"))
    return grouped(count, separator, ",", f"{cents:02}"), count + Fraction(cents, 100)


def indian(rng: random.Random) -> tuple[str, Fraction]:
    count = rng.randrange(10**5, 10**9)
    head, tail = divmod(count, 1000)
    parts = [f"{tail:03}"]
    while head >= 100:
        head, two = divmod(head, 100)
        parts.insert(0, f"{two:02}")
    return ",".join([str(head), *parts]), Fraction(count)


def decimal(rng: random.Random) -> tuple[str, Fraction]:
    digits = "".join(rng.choices("0123456789", k=rng.randrange(1, 7)))
    whole = str(rng.randrange(1000)) if rng.random() < 0.7 else ""
    return f"{whole}.{digits}", Fraction(f"{whole or 0}.{digits}")


def comma_decimal(rng: random.Random) -> tuple[str, Fraction]:
    digits = "".join(rng.choices("0123456789", k=rng.choice((1, 2, 4, 5))))
    whole = rng.randrange(1000)
    return f"{whole},{digits}", Fraction(f"{whole}.{digits}")


def fraction(rng: random.Random) -> tuple[str, Fraction]:
    low = rng.randrange(2, 10)
    top = rng.randrange(1, low)
    whole = rng.choice((0, rng.randrange(1, 100)))
    command = rng.choice((r"\frac", r"\dfrac", r"\tfrac"))
    in_latex = [f"{top}{low}", f"{{{top}}}{{{low}}}", f" {top}{low}", f"{{{top}}}{low}"]
    part = rng.choice([f"{command}{rng.choice(in_latex)}", f"{top}/{low}"])
    space = " " if part[0].isdigit() else rng.choice(("", " "))
    return f"{whole}{space}{part}" if whole else part, whole + Fraction(top, low)


def vulgar(rng: random.Random) -> tuple[str, Fraction]:
    char, parts = rng.choice(list(VULGAR.items()))
    whole = rng.randrange(100)
    text = f"{whole}{rng.choice(('', ' '))}{char}" if whole else char
    return text, whole + Fraction(*parts)


def power(rng: random.Random) -> tuple[str, Fraction]:
    mantissa, exponent = rng.randrange(1, 100), rng.randrange(-3, 9)
    raised = str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
    sign = rng.choice((r" \times ", " × ", "×", r" \cdot "))
    after = [f"{sign}10^{{{exponent}}}", f"{sign}10{raised}", f"e{exponent}"]
    return f"{mantissa}{rng.choice(after)}", mantissa * Fraction(10) ** exponent


def words(rng: random.Random) -> tuple[str, Fraction]:
    ten, one = rng.randrange(2, 10), rng.randrange(1, 10)
    hundred = rng.randrange(10)
    small = f"{TENS[ten - 2]}{rng.choice('- ')}{UNITS[one]}"
    text = f"{UNITS[hundred]} hundred and {small}" if hundred else small
    return text, Fraction(100 * hundred + 10 * ten + one)


def chinese(rng: random.Random) -> tuple[str, Fraction]:
    hundred, ten, one = (rng.randrange(1, 10) for _ in range(3))
    text = f"{CHINESE[hundred]}百{CHINESE[ten]}十{CHINESE[one]}"
    wan = rng.randrange(2, 10)
    value = 100 * hundred + 10 * ten + one
    if rng.random() < 0.5:
        return text, Fraction(value)
    return f"{CHINESE[wan]}千{CHINESE[ten]}百万{text}", Fraction(
        wan * 10**7 + ten * 10**6 + value
    )


def scaled(rng: random.Random) -> tuple[str, Fraction]:
    count = rng.randrange(1, 1000)
    word, scale = rng.choice(
        [("thousand", 10**3), ("million", 10**6), ("lakh", 10**5), ("万", 10**4)]
    )
    return f"{count} {word}", Fraction(count * scale)


def no_number(rng: random.Random) -> tuple[str, None]:
    a, b, c = (rng.randrange(1, 10) for _ in range(3))
    forms = [
        *(f"{a}.{b}.{c}", f"{a},{b},{c}", f"{a}/{b}/20{c}0", f"{a}/0", f"{a}:{b}"),
        *(f"{a}-{a + b}", f"{a} or {a + b}", rf"{a}\pi", f"{a}^{{{b}x}}", f"{a} + {b}"),
        *(rf"\frac{a}{b}{c}", f"({a},{b})", rf"\sqrt{{{a}}}", f"{a}x", f"x_{a}"),
        *(f"{a} hours {b} minutes", f"{a} feet {b} inches", rf"\pm {a}"),
    ]
    return rng.choice(forms), None


FORMS: tuple[Form, ...] = (
    *(western, european, indian, decimal, comma_decimal, fraction, vulgar, power),
    *(words, chinese, scaled, no_number),
)
SIGNLESS = (words, chinese, no_number)


def drawn(seed: int) -> tuple[str, str, Fraction | None]:
    """Name of a form, a written number and its value."""
    rng = random.Random(seed)
    form = FORMS[seed % len(FORMS)]
    text, value = form(rng)
    if value is not None and form not in SIGNLESS and rng.random() < 0.3:
        text, value = rng.choice("-\u2212") + text, -value
    return form.__name__, text, value


def text_of(value: Fraction) -> str:
    text = fraction_text(value)
    return "0" if text in ("0", "-0") else text


def test_each_is_read_right_or_refused():
    """As a reference answer, in a box, in an element, and in a statement."""
    read: Counter[str] = Counter()
    wrong = []
    for seed in range(CASES):
        name, text, value = drawn(seed)
        expected = None if value is None else text_of(value)
        answers = {
            "gold": gold_or_none(text),
            "box": final_answer(rf"So \boxed{{{text}}}."),
            "element": final_answer(f"<answer>{text}</answer>"),
            "statement": final_answer(f"The answer is {text}."),
        }
        for place, answer in answers.items():
            read[f"{name} {place}"] += answer == expected is not None
            is_number = answer is not None and _canonical(answer)
            if is_number and answer != expected:
                wrong.append((name, place, text, answer))
    assert not wrong, wrong[:20]
    per_form = CASES // len(FORMS)
    for name in (form.__name__ for form in FORMS if form is not no_number):
        for place in ("box", "element", "statement"):
            assert read[f"{name} {place}"] >= per_form, (name, place)


def gold_or_none(text: str) -> str | None:
    """The reference answer; None where it is refused, which must name its text."""
    try:
        return gold_of(f"#### {text}")
    except InputError as error:
        message = str(error)
    assert repr(text) in message
    return None


def _canonical(answer: str) -> bool:
    """Whether an answer is a number in canonical form (an answer that was read)."""
    found = list(numerals(answer))
    return len(found) == 1 and found[0].value == answer


def test_right_answers_are_graded_right_and_others_wrong():
    """Against the value in canonical form, and against another value."""
    for seed in range(0, CASES, 4):
        _, text, value = drawn(seed)
        if value is not None:
            boxed = rf"\boxed{{{text}}}"
            right = Task(text_of(value), question="", thought="")
            other = Task(text_of(value + 1), question="", thought="")
            assert judged(boxed, right).correct, text
            assert not judged(boxed, other).correct, text


@pytest.mark.parametrize("form", [european, comma_decimal])
def test_under_a_german_question_a_comma_stands_before_decimals(form):
    question = "Ein Stift kostet 1,25 Euro. Was kosten alle?"
    for seed in range(200):
        text, value = form(random.Random(seed))
        assert final_answer(rf"\boxed{{{text}}}", question) == text_of(value)
        count = random.Random(seed).randrange(1000, 10**6)
        dots = f"{count:,}".replace(",", ".")
        assert final_answer(f"Die Antwort ist {dots}.", question) == str(count)
