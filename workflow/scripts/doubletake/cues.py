"""The language of turning back: which sentences doubt, check, re-read or start again.

A sentence is judged by its own words alone; whether it is a backtrack depends on where
it stands, which `events` decides.
"""

import re
from typing import NamedTuple

CHECK, DOUBT, ALTERNATIVE, REREAD = "check", "doubt", "alternative", "reread"
KINDS = (CHECK, DOUBT, ALTERNATIVE, REREAD)
HEAD = 240  # characters of a sentence that are read


class Cue(NamedTuple):
    """What signals a turn."""

    text: str
    """The words themselves, as they stand."""
    kind: str
    """One of `KINDS`."""
    fresh: bool
    """Whether it turns again even inside a turn that is still open."""


_FILLER = (
    r"(?:[-*>#\s]*+(?:okay|ok|so|well|now|and|yeah|yes|hmm+|oh|ah|um|right|alright|"
    r"first|then|also|again|anyway|still|though|no)\b[,.!\s\u2026-]*+){0,3}[*\"'(\s]*+"
)
_CHECK_VERB = (
    r"(?:double[- ]?check|triple[- ]?check|cross[- ]?check|re-?check|check|verify|"
    r"confirm|validate|make (?:absolutely |completely |really )?sure|be (?:sure|certain|"
    r"thorough|safe|extra)|ensure|test|review|recap|re-?visit|re-?trace|re-?do|"
    r"re-?calculate|re-?compute|re-?count|re-?evaluate|re-?consider|re-?examine|"
    r"re-?think|reread|re-read|go (?:through|over|back)|think (?:again|about (?:it|this)"
    r" again|through (?:it|this) again)|walk through|see if (?:that|this|it))"
)
_ADVERB = (
    r"(?:(?:just|also|quickly|actually|really|still|at least|maybe|perhaps|first|"
    r"carefully|once (?:again|more)|again|now|even|then|please|absolutely|100%|"
    r"completely|to) ){0,3}"
)
_ALTERNATIVE_LEAD = (
    r"(?:alternatively|(?:i (?:guess|suppose|think) )?(?:an)?other (?:way|approach|method|angle|"
    r"perspective|check)|a different (?:way|approach|method)|"
    r"is there (?:another|a different|any other) (?:way|approach|method)|"
    r"(?:let me|let's|i (?:can|could)) (?:just )?(?:also )?(?:try|do|use|solve|approach|think|look at)[^.?!\n]{0,40}"
    r"\b(?:another|different|other) (?:way|approach|method|angle|perspective))"
)
_DOUBT_LEAD = (
    r"(?:(?:is|are|was|does|do|did|should|could|would|can|am|have|has|what if|"
    r"(?:or )?(?:maybe|perhaps)|i wonder|suppose|unless|however|or is|or does)\b)"
)
_TURN = re.compile(
    rf"""
    (?P<filler>{_FILLER})
    (?:
      (?P<wait>(?:(?:but|oh|no|and|so|hmm+|actually)[,\s]+)?
        (?:wait|hold\ on|hang\ on|hold\ up)\b(?:\ a\ (?:second|minute|moment|sec)\b)?)
    | (?P<alternative>(?:(?:but|or)[,\s]+)?{_ALTERNATIVE_LEAD})
    | (?P<check>(?:but[,\s]+|however[,\s]+|still[,\s]+)?
        (?:(?:i\ (?:want|need|would\ like|'d\ like|should|can|could|might|will|think\ i\ should)
            |i'll|i'd|let\ me|let's|let\ us|we\ (?:can|should|could)|maybe\ (?:i|we)\ should
            |(?:just|only)?\ ?to|just|it's\ (?:good|always\ good)\ to|in\ order\ to)\s+)
        {_ADVERB}{_CHECK_VERB}\b)
    | (?P<checking>(?:but[,\s]+)?(?:just\ )?(?:double[- ]?checking|checking|verifying|verification|
        to\ recap|(?:just\ )?recap|(?:just\ )?recapping|another\ thing\ to\ check|sanity\ check|as\ a\ check|
        quick\ check)\b)
    | (?P<but>but\b(?=[^.\n]{{0,160}}(?:\?|{_CHECK_VERB}\b|\bmaybe\b|\bwhat\ if\b|\bperhaps\b)))
    | (?P<doubt>{_DOUBT_LEAD}(?=[^.\n]{{0,160}}\?))
    | (?P<wonder>i\ wonder|what\ if|i\ don't\ think\ i\ (?:made|missed)|did\ i\b|am\ i\ (?:missing|sure))
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_REREAD = re.compile(
    r"\b(?:re-?read|read|look(?:ing)? (?:back )?at|(?:go|going) back to|check|parse|"
    r"interpret(?:ed|ing)?|misinterpret(?:ed|ing)?|misread|understood|understand)\b"
    r"[^.?!\n]{0,30}\b(?:problem|question|wording|statement|text)\b"
    r"|\b(?:problem|question|wording|original)\b[^.?!\n]{0,24}\b(?:says?|states?|said|"
    r"asks?|asking|is asking|mentions?|statement)\b",
    re.IGNORECASE,
)
_OTHER_METHOD = re.compile(
    r"\b(?:another|different|other) (?:way|approach|method|angle)\b", re.IGNORECASE
)
_CHECKING = re.compile(
    rf"\b(?:let me|let's|to|i should|i'll|just)\s+{_ADVERB}{_CHECK_VERB}\b|\bdouble[- ]?check",
    re.IGNORECASE,
)
_SUSPICION = re.compile(
    r"\b(?:maybe|perhaps|what if|is it possible|could it|might|is that (?:right|correct)|"
    r"does that make sense|mistake\?|trick|not right|wrong|wonder|unless|but\b|is there)",
    re.IGNORECASE,
)
_SETTLES = re.compile(
    r"(?:\b(?:that|this|it|which|everything|all|answer|result|numbers?|calculations?|"
    r"math|logic|reasoning|step|both)\b[^.?!\n]{0,30}?"
    r"(?:'s|\bis|\bare|\bseems?|\blooks?|\bsounds?|\bstill|\balso|\bindeed)\b[^.?!\n]{0,20}?"
    r"\b(?:right|correct(?:ly)?|good|reasonable|logical|consistent|straightforward|fine|solid|valid|"
    r"accurate|same|clear|okay|ok)\b"
    r"|\bmakes? sense\b|\bchecks? out\b|\bmatch(?:es)?\b|\badds? up\b|\bconfirms?\b|"
    r"\bconfirmed\b|\bconsistent\b|\bsame (?:answer|result|number|thing)\b|"
    r"\bcorrect\b|\bno (?:mistakes?|errors?)\b)"
    r"|^(?:yes|yep|yeah|yup|right|correct|perfect|good|great|exactly)\b",
    re.IGNORECASE,
)


def turn_cue(sentence: str) -> Cue | None:
    """The cue of a sentence that turns back, None for any other sentence."""
    head = sentence[:HEAD]
    match = _TURN.match(head)
    if match is None:
        return None
    cue = head[match.end("filler") : match.end()].strip()
    group = match.lastgroup or ""
    return Cue(
        cue[:40], _kind(head, group), group in ("wait", "but", "doubt", "wonder")
    )


def _kind(head: str, group: str) -> str:
    """Which kind of turn a sentence with a cue of `group` makes."""
    if _REREAD.search(head):
        return REREAD
    if _OTHER_METHOD.search(head):
        return ALTERNATIVE
    if group == "alternative":
        return DOUBT if re.search(r"\bmaybe\b|\bcould\b|\?", head) else ALTERNATIVE
    if group in ("check", "checking") or _CHECKING.search(head):
        return CHECK
    if group in ("doubt", "wonder", "but") or _SUSPICION.search(head):
        return DOUBT
    return CHECK


def settles(sentence: str) -> bool:
    """Whether a sentence gives a verdict that closes a turn ("that checks out")."""
    return not sentence.rstrip().endswith("?") and bool(
        _SETTLES.search(sentence[:HEAD])
    )
