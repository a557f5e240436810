r"""The answer in a text that follows a thought.

The last of these that the text has: a `\boxed{...}`, a JSON object or an `<answer>`
element, a statement ("The answer is ..."), the number after `####`, the conclusion in
the last sentences.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from doubletake.detector.asked_quantity import read_question, stem
from doubletake.text.answers import (
    GOLD_MARK,
    Box,
    boxes_of_last_sentence,
    last_boxes,
    number_text,
    single_number,
    stands_alone,
)
from doubletake.text.decimal_marks import decimal_mark
from doubletake.text.numerals import Numeral, numerals

# ASSUME: "Answer:" before a longer text is the heading of a whole solution.
HEADED_TEXT = 200  # characters
LONGEST_STATEMENT = 300  # characters that are read after "the answer is"
LONGEST_BEFORE = 80  # characters that are read before a number
LONGEST_CONCLUSION = 600  # characters of the last sentence that are read
MOST_BOXES, MOST_STATEMENTS = 8, 32

ANSWER_IS = re.compile(
    r"\banswer\b[\"']?(?:[ \t]+(?:to|for)\b[^.\n]{0,80}?)?"
    r"[ \t]*(?:is|was|=|:|would be|should be|must be|\*\*:?|comes to)"
    r"|(?:\u7b54\u6848|\u7b54\u3048)[ \t]*(?:\u662f|\u4e3a|\u70ba|\u306f|[:\uff1a])"
    r"|\b(?:Antwort|Ergebnis|r[e\u00e9]ponse|respuesta|resposta|risposta|\u043e\u0442\u0432\u0435\u0442)\b"
    r"[ \t]*(?:ist|lautet|est|es|\u00e9|\u00e8|=|:|-)",
    re.IGNORECASE,
)
_ANSWER_KEY = re.compile(
    r"[\"'](?:final[_ ]?)?(?:answer|result|solution)[\"']\s*:\s*"
    r"(?:\"(?P<text>(?:[^\"\\]|\\.){0,300})\"|(?P<number>[^\s,}\]]{1,80}))",
    re.IGNORECASE,
)
_JSON_OBJECT = re.compile(r"\{\s*\"[^\"\n]{1,80}\"\s*:")
_ELEMENT = re.compile(r"<(answer|final_answer)>(.{0,300}?)</\1>", re.DOTALL | re.I)
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_SENTENCE_END = re.compile(
    r"(?<=[^\s\d])[.!?](?=\s|\Z)|(?<=\d)[.!?](?=\s+[A-Z]|\s*\Z)|[\u3002\uff01\uff1f\n]"
)
_NOT_BUT = re.compile(
    r"\s*(?:not|never|n't)\b[^.\n]{0,80}?(?:\bbut\b|\brather\b|,? it(?:'s| is)\b)"
    r"(?:\s+(?:is|rather|actually))?",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"(?:[\s*:=(\"'$\u20ac\u00a3\u20b9\\{\[~]|\\[(\[]|\\text(?:bf)?|\b(?:that|is|was|about|approximately"
    r"|around|exactly|only|just|simply|equal|to|therefore|a|the|total|of|roughly|indeed"
    r"|option|rs|usd|number|now)\b\.?)*+\Z",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|equals?|gets?|got|has|have|had|needs?|costs?|earns?|pays?"
    r"|paid|makes?|made|receives?|received|takes?|took|spends?|spent|saves?|saved|owes?"
    r"|leaves?|left|contains?|weighs?|sells?|sold|eats?|ate|drinks?|reads?|runs?|walks?"
    r"|travels?|buys?|bought|collects?|gives?|gave|lasts?|(?:up )?with|comes? to"
    r"|total(?:s|ing)|results? in|resulting in|uses?|used|scores?|wins?|won|equal to"
    r"|(?:will|can|should|must) [a-z]+)\s+"
    r"(?:(?:a|an|the|total|of|exactly|only|about|approximately|another|just|now|still"
    r"|around|to|also|each|roughly)\s+){0,4}(?:[\s$\u20ac\u00a3\u20b9\\{(*]|\\text)*\Z",
    re.IGNORECASE,
)
_REMARK = re.compile(
    r"\W*(?:note|remark|p\.?s\.?|check|verification|hint|reminder|nota|\u6ce8)\b[\s*]*[:.,-]?"
    r"|\([^()]*\)\W*\Z",
    re.IGNORECASE,
)
_OPERAND = re.compile(
    r"[^\w\n]*(?:[a-z]+\s){0,2}(?:multiplied|times|minus|plus|divided|and \d)\b",
    re.IGNORECASE,
)
_RELATIVE = re.compile(
    r"[,;(]|\b(?:which|because|since|as|when|if|after|than|for|out of)\b"
)
_CLAUSE = re.compile(r"[,;]|\bthen\b|\bso\b|\band\b")
_EQUALS_BEFORE = re.compile(r"=[\s$\u20ac\u00a3\u20b9\\{(*]*\Z")
# Right after "the answer is", "1 200" is one number.
_SPACED_FIRST = re.compile(r"\A[^\w]{0,8}[1-9]\d{0,2}(?: \d{3})++(?![.,]?\d| \d)")
_BRACKETS_LAST = re.compile(
    r"\s*(?<!\\)\([^()\\]{0,200}[a-z]{2}[^()\\]{0,200}\)[\s.!]*\Z"
)
# Two units of one quantity: the number is "2 hours 30 minutes", not 2.
_COMPOUND = re.compile(
    r"[\s}]*(?:\\text\s?\{)?\s*(?:hours?|hrs?|h|minutes?|mins?|feet|foot|ft|dollars?|pounds?|lbs?"
    r"|years?|months?|weeks?|days?)\b[\s},]*(?:and\s+)?\d+[\s}]*(?:\\text\s?\{)?\s*"
    r"(?:minutes?|mins?|seconds?|secs?|inch(?:es)?|in|cents?|ounces?|oz|months?|weeks?"
    r"|days?|hours?)\b",
    re.IGNORECASE,
)


class FinalAnswer(NamedTuple):
    """An answer and the text that it was read from."""

    value: str
    """Canonical number, or `written` where that is not one number."""
    written: str
    """The words or the formula that state the answer."""


class _Reader(NamedTuple):
    """What helps to read an answer."""

    question: str
    mark: str | None


def final_answer(text: str, question: str = "", thought: str = "") -> str | None:
    """The answer in a text that follows the thought, as `read_answer` reads it."""
    found = read_answer(text, question, thought)
    return found.value if found else None


def read_answer(text: str, question: str = "", thought: str = "") -> FinalAnswer | None:
    r"""The answer in a text that follows the thought; None where it gives none.

    A number is returned in canonical form. A box or a statement that is not one number
    is returned as it is: an answer is never a part of what is written.

    Args:
        text: after the thought.
        question: decides between several boxes, and how decimals are written.
        thought: before the text; shows how decimals are written.
    """
    reader = _Reader(question, decimal_mark("\n".join((question, thought, text))))
    found = last_boxes(text, MOST_BOXES)
    if found:
        after = text[found[-1].end :]
        said = _of_statement(after, reader) if ANSWER_IS.search(after) else None
        if said is not None and number_text(said.value) is not None:
            return said
        boxed = _chosen_box(text, found, question).content
        if boxed.strip():
            return _of_field(boxed, reader)
    return (
        _of_element(text, reader) or _of_statement(text, reader) or _last(text, reader)
    )


def _of_field(text: str, reader: _Reader) -> FinalAnswer:
    """A text that holds the answer alone, such as the content of a box."""
    value = single_number(text, reader.mark)
    return FinalAnswer(text.strip() if value is None else value, text.strip())


def _chosen_box(text: str, found: Sequence[Box], question: str) -> Box:
    r"""The last box, or of several in one sentence the one that the question asks for.

    "\boxed{17} apples and \boxed{3} pears" answers "How many apples?" with 17.
    """
    last = found[-1]
    units = read_question(question).answer_units if question else frozenset()
    together = boxes_of_last_sentence(text, found)
    if not units or len(together) == 1:
        return last
    fitting = []
    for box in together:
        noun = re.match(r"[\s$)\\\]]*([a-z]+)", text[box.end :], re.IGNORECASE)
        if noun and stem(noun[1]) in units:
            fitting.append(box)
    return fitting[-1] if fitting else last


def _of_element(text: str, reader: _Reader) -> FinalAnswer | None:
    """The answer in an `<answer>` element or under a JSON object's key "answer"."""
    elements = _ELEMENT.findall(text)
    if elements:
        content = elements[-1][1]
        return _stated(content, reader, heading=True) or _of_field(content, reader)
    keys = list(_ANSWER_KEY.finditer(text))
    if keys:
        content = keys[-1]["text"] or keys[-1]["number"]
        return _stated(content, reader, heading=True) or _of_field(content, reader)
    if _JSON_OBJECT.match(text.strip().removeprefix("```json").strip()):
        return _of_field(text, reader)  # an object without the key: no single number
    return None


def _of_statement(text: str, reader: _Reader) -> FinalAnswer | None:
    """The answer after the last "the answer is" that says a number."""
    for mark in reversed([*ANSWER_IS.finditer(text)][-MOST_STATEMENTS:]):
        heading = mark.group().endswith((":", "*", "\uff1a"))
        if heading and len(text) - mark.end() > HEADED_TEXT:
            continue
        rest = text[mark.end() : mark.end() + LONGEST_STATEMENT]
        value = _stated(rest, reader, heading=heading)
        if value is not None:
            return value
    return None


def _stated(text: str, reader: _Reader, *, heading: bool) -> FinalAnswer | None:
    """The answer of a statement; None where its line holds no number.

    Args:
        text: that follows "the answer is".
        reader: what helps to read it.
        heading: whether a whole sentence may follow ("Answer: each gets 18").
    """
    line = text.lstrip().split("\n", 1)[0]
    for match in _BOLD.finditer(line):
        value = single_number(match[1], reader.mark)
        if value is not None:
            return FinalAnswer(value, match[1])
    negated = _NOT_BUT.match(line)
    line = line[negated.end() :] if negated else line
    line = _SPACED_FIRST.sub(_with_narrow_spaces, line)
    end = _SENTENCE_END.search(line)
    sentence = line[: end.start()] if end else line
    items = list(islice(numerals(sentence, reader.mark), 32))
    if not items:
        sentence = line
        items = list(islice(numerals(line, reader.mark), 32))
    if not items:
        return None
    return _chosen(sentence, items, reader, heading=heading)


def _with_narrow_spaces(match: re.Match[str]) -> str:
    """A number with narrow spaces between its groups of digits."""
    return re.sub(r"(?<=\d) (?=\d)", "\u202f", match.group())


def _chosen(
    sentence: str, items: Sequence[Numeral], reader: _Reader, *, heading: bool
) -> FinalAnswer:
    """The answer among the numbers of a sentence, or the sentence where none is it."""
    first = items[0]
    after_equals = [i for i in items if _follows(_EQUALS_BEFORE, sentence, i)]
    direct = _FILLER.match(sentence[: first.start]) is not None
    item: Numeral | None
    if direct and stands_alone("", sentence[first.end :], prose=True):
        verbs = _after_verb(sentence, items[1:]) if heading else []
        cut = _RELATIVE.search(sentence, first.end)
        verbs = [i for i in verbs if not cut or i.end <= cut.start()]
        item = verbs[-1] if verbs else first
    elif after_equals:
        item = after_equals[-1]
    elif direct:
        item = None
    else:
        verbs = _after_verb(sentence, items)
        item = (verbs or items)[-1] if heading or verbs else first
    if item is None or not _is_whole(sentence, item):
        value = single_number(sentence, reader.mark)
        return FinalAnswer(sentence.strip() if value is None else value, sentence)
    return FinalAnswer(item.value, sentence[item.start : item.end + 2])


def _follows(pattern: re.Pattern[str], text: str, item: Numeral) -> bool:
    r"""Whether a pattern that ends with \Z matches right before a number."""
    start = max(0, item.start - LONGEST_BEFORE)
    return pattern.search(text, start, item.start) is not None


def _after_verb(sentence: str, items: Sequence[Numeral]) -> list[Numeral]:
    """Numbers that a verb states: "each of the 6 cousins gets 18"."""
    return [
        item
        for item in items
        if _follows(_VERB, sentence, item) and not _OPERAND.match(sentence, item.end)
    ]


def _is_whole(text: str, item: Numeral) -> bool:
    """Whether a number of a text is a whole quantity."""
    before = text[max(0, item.start - LONGEST_BEFORE) : item.start]
    after = text[item.end : item.end + LONGEST_STATEMENT]
    if _EQUALS_BEFORE.search(before):
        before = ""
    return stands_alone(before, after, prose=True) and not _COMPOUND.match(after)


def _last(text: str, reader: _Reader) -> FinalAnswer | None:
    """The number after `####`, else the one that the last sentences conclude."""
    _, found, last = text.rpartition(GOLD_MARK)
    if found:
        line = last.strip().split("\n", 1)[0]
        if number_text(line, reader.mark) is not None:
            return _of_field(line, reader)
    paragraphs = (last if found else text).split("\n\n")
    while len(paragraphs) > 1 and (
        _REMARK.match(paragraphs[-1]) or not paragraphs[-1].strip()
    ):
        paragraphs.pop()
    body = "\n\n".join(paragraphs)
    head = _BRACKETS_LAST.sub("", body)
    body = head if any(char.isdigit() for char in head) else body
    numbers = list(numerals(body, reader.mark))
    if not numbers:
        return None
    # ASSUME: a number in digits is the answer rather than a number in words.
    last_number = ([i for i in numbers if i.written != "words"] or numbers)[-1]
    ends = [match.end() for match in _SENTENCE_END.finditer(body)]
    start = max([0, *(end for end in ends if end <= last_number.start)])
    start = max(start, last_number.start - LONGEST_CONCLUSION)
    stop = min([len(body), *(end for end in ends if end >= last_number.end)])
    stop = min(stop, last_number.end + LONGEST_CONCLUSION)
    return _concluded(body[start:stop], reader)


def _concluded(sentence: str, reader: _Reader) -> FinalAnswer | None:
    """The number of a sentence that concludes: after "=", after a verb, or the last."""
    items = list(numerals(sentence, reader.mark))
    digits = [item for item in items if item.written != "words"] or items
    if not digits:
        return None
    equal = [item for item in digits if _follows(_EQUALS_BEFORE, sentence, item)]
    verbs = _after_verb(sentence, digits)
    if verbs and _CLAUSE.search(sentence, verbs[-1].end, digits[-1].start):
        verbs = []
    item = (equal or verbs or digits)[-1]
    if _is_whole(sentence, item):
        return FinalAnswer(item.value, sentence[item.start : item.end + 2])
    return FinalAnswer(sentence.strip(), sentence)
