"""Numbers in words: English, and Chinese numerals."""

import re
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

UNITS = str.split(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen"
)
TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
SCALES = {
    **{"hundred": 100, "thousand": 10**3, "lakh": 10**5, "million": 10**6},
    **{"crore": 10**7, "billion": 10**9, "trillion": 10**12},
}
WORD_VALUES = {
    **{word: value for value, word in enumerate(UNITS)},
    **{word: 10 * value for value, word in enumerate(TENS, start=2)},
    **SCALES,
    "dozen": 12,
}
PARTS = {"half": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "eighth": 8}
HALF = rf"(?P<half> and (?:a|one) (?:{'|'.join(PARTS)})\b)"
"""What makes 3 and a half of 3."""

_WORD = f"(?:{'|'.join(sorted(WORD_VALUES, key=len, reverse=True))})"
_IN_WORDS = re.compile(
    rf"(?P<words>{_WORD}(?:(?:-| | and |-and-){_WORD})*+)(?!\w){HALF}?"
    r"(?P<part>[ -](?:halves|half|thirds?|quarters?|fourths?|fifths?|sixths?|sevenths?"
    r"|eighths?|ninths?|tenths?|twelfths?|hundredths?)(?! (?:of|place|day|time))\b)?"
)

LONGEST_CHINESE = 40  # characters; a longer run is no number
CHINESE_SCALES = {
    **{"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000},
    **{"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8},
}
_CHINESE_DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    **{char: value for value, char in enumerate("〇壹贰叁肆伍陆柒捌玖")},
    "两": 2,
    "兩": 2,
}
_HAN = f"[{''.join(_CHINESE_DIGITS)}{''.join(CHINESE_SCALES)}]"
_CHINESE = re.compile(
    rf"(?P<sign>[负負])?(?P<low>{_HAN}++)(?:分之(?P<top>{_HAN}++)"
    rf"|[点點](?P<decimals>[{''.join(_CHINESE_DIGITS)}]++))?"
)
# ASSUME: a single Chinese digit is a number only between these neighbours: in words
# such as "一起" (together) it is none.
_BEFORE_ONE = re.compile(r"[^\u4e00-\u9fff]|[是为為于於乘加减減除以得有剩共等卖用需第]")
_AFTER_ONE = re.compile(
    r"[^\u4e00-\u9fff]|[乘加减減除等是个個只元块人本岁天箱名支张件]"
)


def english_numbers(text: str) -> Iterator[tuple[int, int, Fraction | None]]:
    """Start, end and value of each number in English words, from left to right.

    The value is None where the words are no one number ("two three"), or a fraction
    in words ("three quarters": three coins, or 3/4?).

    Args:
        text: in small letters.
    """
    for match in _IN_WORDS.finditer(text):
        start = match.start()
        if start and (text[start - 1].isalnum() or text[start - 1] == "_"):
            continue
        value = None if match["part"] else in_words(match["words"])
        if value is not None and match["half"]:
            value += half_of(match["half"])
        yield start, match.end(), value


def half_of(words: str) -> Fraction:
    """Value of " and a half", " and one third" and so on."""
    return Fraction(1, PARTS[words.rpartition(" ")[2]])


@cache
def in_words(words: str) -> Fraction | None:
    """Value of an English number in words; None for several numbers."""
    total = current = 0
    for word in re.split(r"[- ]", words):
        if word == "and":
            continue
        value = WORD_VALUES[word]
        if value >= 1000:
            total, current = total + max(current, 1) * value, 0
        elif value >= 100 or word == "dozen":
            current = max(current, 1) * value
        elif current % 100 and not (current % 10 == 0 and 0 < value < 10):
            return None  # "two three" is two numbers
        else:
            current += value
    return Fraction(total + current)


def chinese_numbers(text: str) -> Iterator[tuple[int, int, Fraction]]:
    """Start, end and value of each number in Chinese numerals."""
    for match in _CHINESE.finditer(text):
        start, end = match.span()
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if len(match.group()) == 1 and not (
            (not before or _BEFORE_ONE.match(before))
            and (not after or _AFTER_ONE.match(after))
        ):
            continue
        # "三千克" is 3 kilograms or 3000 grams.
        if match.group().endswith("千") and after in tuple("克米瓦卡"):
            continue
        value = _chinese_value(match) if end - start <= LONGEST_CHINESE else None
        if value is not None:
            yield *match.span(), -value if match["sign"] else value


def _chinese_value(match: re.Match[str]) -> Fraction | None:
    """Value of a numeral without its sign."""
    if match["low"] == "百" and match["top"]:  # a percentage
        return _chinese_whole(match["top"])
    low = _chinese_whole(match["low"])
    if low is None or not match["top"]:
        decimals = [_CHINESE_DIGITS[char] for char in match["decimals"] or ""]
        steps = (Fraction(digit, 10 ** (k + 1)) for k, digit in enumerate(decimals))
        return None if low is None else low + sum(steps)
    top = _chinese_whole(match["top"])
    return None if top is None or not low else top / low


def _chinese_whole(text: str) -> Fraction | None:
    """Value of a whole number; None where the characters are no number (千万)."""
    digits = [_CHINESE_DIGITS.get(char) for char in text]
    if len(text) > 1 and None not in digits:  # digit by digit, like a year
        return Fraction("".join(map(str, digits)))
    total = section = 0
    digit: int | None = None
    for char in text:
        scale = CHINESE_SCALES.get(char)
        if scale is None:
            if digit:
                return None
            digit = _CHINESE_DIGITS[char]
            continue
        if scale >= 10**4:
            section += digit or 0
            if not section:
                return None
            total, section = total + section * scale, 0
        else:
            if not digit and scale > 10:
                return None
            section += (1 if digit is None else digit) * scale
        digit = None
    return Fraction(total + section + (digit or 0))
