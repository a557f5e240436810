"""Numbers that a thought states, and the role of each (operand, result, answer ...).

The words and signs beside a number decide its role.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from doubletake.detector import chinese_cues
from doubletake.detector.asked_quantity import AskedQuantity
from doubletake.detector.operands import is_starting_point
from doubletake.text.decimal_marks import decimal_mark
from doubletake.text.numerals import Numeral, numerals, plain
from doubletake.text.sentences import Span

COMMITTED, RESULT, MENTION = "committed", "result", "mention"
OPERAND, OTHER_UNIT = "operand", "other unit"
# ASSUME: the role of a number shows in the words beside it.
CONTEXT = 64  # characters before and after a number
# ASSUME: the first characters of a sentence show whether it supposes or concludes.
LONGEST_SENTENCE = 600  # characters that are read


class StatedNumber(NamedTuple):
    """A number of the thought, with its role and its sentence."""

    numeral: Numeral
    sentence: int
    """Index of the sentence that holds the number."""
    role: str
    """`committed`: the thought says that it is the answer. `result`: it follows "=",
    "is", "gives" or a similar word. `operand`: the thought computes with it, supposes
    it or denies it. `other unit`: the question does not ask for its unit. `mention`:
    anything else."""
    after_operand: bool
    """Whether an operand stands before the number in the same sentence."""
    hypothetical: bool
    """Whether the sentence is hypothetical ("then it would be 8") or a question."""


def _any(*options: str) -> str:
    """A group of alternatives."""
    return f"(?:{'|'.join(options)})"


# What may stand between a number and the words around it: currency, bold, LaTeX.
# ASSUME: the word lists below, written by hand from real thoughts, decide the roles.
_OPEN = r"(?:[\s$({\[~]|\*\*|\\[(\[$,;! ]|\\(?:boxed|text|mathbf|textbf|mathrm)\s?\{)*+"
_CLOSE = (
    r"(?:[\s$)}\]~%]|\*\*|\\[)\]%$,;! ]|\\(?:text|mathrm)\s?\{[^{}\n]{0,24}\}"
    r"|\([^()\n]{0,40}\))*+"
)
SIGNS = (
    r"(?:(?<!\*)\*(?!\*)|[+\u00d7\u00f7\u2217\u22c5\u00b7^<>]"
    r"|\\(?:times|cdot|div|frac|le|ge)\b)"
)
OPERATION = _any(
    *("plus", "minus", "divided", "multiplied", "goes into", "out of"),
    r"times(?=\s+(?:\\?\$)?(?:\d|that|as|the|this|her|his|its|their|more|a\b|half))",
)
_UNIT = (
    r"(?:(?!(?:plus|minus|times|divided|multiplied|over|is|are|equals?|and|or|so"
    r"|but|which|then|for|to|in)\b)[a-z'/-]{1,24}\.?[\s-]{0,2}){0,3}"
)
_OPERAND_BEFORE = re.compile(
    _any(
        rf"(?:{SIGNS}|[/-])",
        r"\b(?:plus|minus|times|by|from|of|not|and)",
        r"\b(?:add|subtract|divid|multiply|tak)(?:e|ing)?",
        r"\b(?:every|each|per|instead of|rather than|than|another|first|last|other)",
    )
    + rf"{_OPEN}$",
    re.IGNORECASE,
)
_TOTAL_OF = re.compile(
    r"\b(?:total|sum|average|difference|product|profit|amount|remainder|value|savings?|"
    r"result|balance|distance|speed|age|gain|loss|length|weight|time|answer|"
    r"(?:total|final|combined|overall|additional|remaining|net)\s+[a-z]+)"
    rf"(?:\s+[a-z]+){{0,2}}\s+of{_OPEN}$",
    re.IGNORECASE,
)
_OPERAND_AFTER = re.compile(
    _CLOSE
    + _any(
        rf"{_UNIT}\s*(?:{SIGNS}|[/-](?=\s?[\d$(\\])|=|\u2248)",
        rf"{_UNIT},?\s*\b{OPERATION}\b",
        rf"{_UNIT}\s*\b(?:is|are|equals?)\s+(?:indeed\s+|actually\s+|just\s+|also\s+)?"
        r"(?:\\?\$)?\d",
        r"\s*\b(?:of|and)\s+(?:the\s+)?(?:\\?\$)?\d",
        rf"{_UNIT}\s*\b(?:is|are|was|isn't|can't be|cannot be)\s*"
        r"(?:not|wrong|incorrect|too|impossible)\b",
    )
    + r"|[a-dnp-rt-z]\b",
    re.IGNORECASE,
)
_VERB = _any(
    *("is", "are", "was", "were", "be", "been", "being", "equals?", "equal(?:l?ing)?"),
    *("equal to", "gives?", "giving", "gave", "gets?", "got", "getting", "makes?"),
    *("made", "making", "leaves?", "leaving", "left with", "totals?", "totall?ing"),
    *("becomes?", "becoming", "comes? (?:out |down |up )?to", "results? in", "yields?"),
    *("resulting in", "amounts? to", "means?", "meaning", "works? out (?:to|as)"),
    *("has", "have", "had", "having", "to get", "leads? to", "arriv(?:es?|ing) at"),
    *("ends? up (?:with|at)", "brings? (?:us |me |it )?to"),
)
_FILLER = (
    r"(?:(?:a|an|the|my|our|indeed|still|also|about|around|just|again|total|of|sum|with|"
    r"now|then|equal|to|me|us|you|him|her|it|them|final|up|out|same|amount|value|answer|"
    r"[a-z]{2,12}ly)\b\s*){0,5}"
)
_RESULT_BEFORE = re.compile(
    r"(?:=|\u2248|\u2192|\\approx|\\implies|\\Rightarrow"
    rf"|(?:\b|')(?:{_VERB}|s|re)\b|\b(?:gives|giving|leaves|leaving)(?:\s[a-z']+){{1,2}})"
    rf"{_OPEN},?{_OPEN}"
    rf"(?:indeed,?\s|equal\s)?{_FILLER}{_OPEN}$",
    re.IGNORECASE,
)
_COMMITS = re.compile(
    r"\b(?:answer|conclusion)\b[^.,;\n]{0,80}?(?:\bis\b|\bbe\b|=|:|\bto\b)"
    r"|\banswer\b(?=[\s:*$\\(\[{]{1,8}\d)|\\boxed\{|####",
    re.IGNORECASE,
)
_ANSWER_WORD = re.compile(r"answer|Answer|ANSWER|onclusion|\\boxed|####")
_ONLY_FILLER = re.compile(rf"{_OPEN}{_FILLER}{_OPEN}(?:[^\w\s]*)\Z", re.IGNORECASE)
_IS_THE_ANSWER = re.compile(
    rf"{_CLOSE}{_UNIT}\s*\b(?:is|are|as|should be|must be)\s+(?:\w+\s+){{0,3}}answer\b",
    re.IGNORECASE,
)
_SUPPOSES = re.compile(
    r"\W*(?:\w+[,\s]+){0,3}(?:if|suppose|supposing|assum\w+|when|since|because|given)\b",
    re.IGNORECASE,
)
_CONSEQUENCE = re.compile(r",|\bthen\b|\bso\b", re.IGNORECASE)
_HYPOTHETICAL = re.compile(
    r"\b(?:if|unless|could|might|suppose|assum\w+|expect\w*|"
    r"(?:then|case)\b[^.?!\n]{0,40}\bwould)\b",
    re.IGNORECASE,
)


class StatedNumbers:
    """The numbers of a thought; the role of a number is read when it is needed."""

    def __init__(
        self, thought: str, spans: Sequence[Span], asked: AskedQuantity
    ) -> None:
        """Find the numbers of a thought.

        Args:
            thought: the text.
            spans: its sentences.
            asked: what the question asks for.
        """
        self.text, self.spans, self.asked = plain(thought), spans, asked
        self.mark = decimal_mark(self.text) or asked.decimal_mark
        self._chinese = chinese_cues.in_chinese(self.text)
        self.numerals = list(numerals(self.text, self.mark))
        self.by_value: dict[str, list[int]] = {}
        self.by_sentence: dict[int, list[int]] = {}
        self._sentences: list[int] = []
        self._read: dict[int, StatedNumber] = {}
        sentence = -1
        for index, numeral in enumerate(self.numerals):
            while (
                sentence + 1 < len(spans) and spans[sentence + 1].start <= numeral.start
            ):
                sentence += 1
            self._sentences.append(sentence)
            self.by_value.setdefault(numeral.value, []).append(index)
            self.by_sentence.setdefault(sentence, []).append(index)

    def number(self, index: int) -> StatedNumber:
        """A number of the thought, with its role.

        Args:
            index: of the number in the order of the text.
        """
        sentence = self._sentences[index]
        if index not in self._read:
            self._read_sentence(sentence)
        return self._read[index]

    def of_value(self, value: str) -> list[StatedNumber]:
        """All numbers of a value, in order."""
        return [self.number(index) for index in self.by_value.get(value, [])]

    def of_sentence(self, sentence: int) -> list[StatedNumber]:
        """All numbers of a sentence, in order."""
        return [self.number(index) for index in self.by_sentence.get(sentence, [])]

    def committed(self) -> list[StatedNumber]:
        """All numbers that the thought calls the answer, in order."""
        starts = [span.start for span in self.spans]
        words = [_ANSWER_WORD, *([chinese_cues.ANSWER_WORD] if self._chinese else [])]
        sentences = {
            bisect_right(starts, match.start()) - 1
            for word in words
            for match in word.finditer(self.text)
        }
        return [
            item
            for sentence in sorted(sentences)
            for item in self.of_sentence(sentence)
            if item.role == COMMITTED
        ]

    def _read_sentence(self, sentence: int) -> None:
        """Read the roles of all numbers of a sentence."""
        text, span = self.text, self.spans[sentence]
        end = min(span.end, span.start + LONGEST_SENTENCE)
        hypothetical = text[span.end - 1] in "?\uff1f" or bool(
            _HYPOTHETICAL.search(text, span.start, end)
        )
        mark = _COMMITS.search(text, span.start, end)
        if self._chinese:
            hypothetical = hypothetical or bool(
                chinese_cues.HYPOTHETICAL.search(text, span.start, end)
            )
            mark = mark or chinese_cues.COMMITS.search(text, span.start, end)
        commits = mark.end() if mark else len(text)
        after_operand = False
        for index in self.by_sentence[sentence]:
            numeral = self.numerals[index]
            role = _role(text, numeral, span, self.asked)
            if role in (RESULT, MENTION) and numeral.start >= commits:
                if role == RESULT or _ONLY_FILLER.match(text, commits, numeral.start):
                    role = COMMITTED
                commits = len(text)
            elif _IS_THE_ANSWER.match(text, numeral.end, span.end):
                role = COMMITTED
            self._read[index] = StatedNumber(
                numeral, sentence, role, after_operand, hypothetical
            )
            after_operand = after_operand or role == OPERAND


def _role(text: str, numeral: Numeral, span: Span, asked: AskedQuantity) -> str:
    """Role of a number, `committed` left aside."""
    before = text[max(span.start, numeral.start - CONTEXT) : numeral.start]
    after = text[numeral.end : min(span.end, numeral.end + CONTEXT)]
    total = _TOTAL_OF.search(before)
    if _OPERAND_AFTER.match(after) or (_OPERAND_BEFORE.search(before) and not total):
        return OPERAND
    if is_starting_point(before, after) or _is_supposed(text, numeral, span):
        return OPERAND
    result = bool(total or _RESULT_BEFORE.search(before)) or (
        not before.isascii() and bool(chinese_cues.RESULT_BEFORE.search(before))
    )
    if numeral.written == "words" and not result and len(numeral.value) < 2:
        return OPERAND
    if not asked.fits(before, after):
        return OTHER_UNIT
    return RESULT if result else MENTION


def _is_supposed(text: str, numeral: Numeral, span: Span) -> bool:
    """Whether the number stands in the condition of an "if" sentence."""
    match = _SUPPOSES.match(text, span.start, min(span.end, span.start + 80))
    if match is None or match.end() > numeral.start:
        return False
    return _CONSEQUENCE.search(text, match.end(), numeral.start) is None
