"""Patterns of the words with which a thought turns back, doubts, or settles a doubt."""

import re


def _any(*options: str) -> str:
    """A group of alternatives."""
    return f"(?:{'|'.join(options)})"


# Bullets, list numbers and emoji may stand before the words of a turn.
_BULLET = r"(?:[^\w\"'(\u201c\u2018]|\(?\d{1,2}[.)\uff0e\ufe0f]\s*)*+"
_FILLER = (
    rf"(?:{_BULLET}"
    + _any(
        *("okay", "ok", "so", "well", "now", "and", "yeah", "yes", "hmm+", "oh", "ah"),
        *("um+", "right", "alright", "also", "then", "again", "anyway", "still", "no"),
        *("though", "actually", "or", "finally", "i mean", "you know"),
    )
    + rf"\b[,.!\s\u2026-]*+){{0,3}}[-*>#\"'(\s]*+{_BULLET}"
)
_BUT = r"(?:(?:but|however|though|although|yet)\b[,\s]+(?:then\s+|again,?\s+)?)"
_ADVERB = (
    r"(?:"
    + _any(
        *("just", "also", "quickly", "actually", "really", "at least", "maybe", "to"),
        *("perhaps", "first", "carefully", "once (?:again|more)", "again", "even"),
        *(
            "absolutely",
            "completely",
            "extra",
            "try(?: to)?",
            "go ahead and",
            "be able",
        ),
    )
    + r"\s+){0,4}"
)
_CHECK_VERB = _any(
    r"(?:double|triple|cross|re|sanity)?[- ]?(?:check|verif[yi]|confirm|validat)\w*",
    r"make\s+(?:\w+\s+)?(?:sure|certain)",
    r"be\s+(?:\w+\s+)?(?:sure|certain|thorough|safe|careful)",
    *("ensur\\w+", "test\\b", "review\\w*", "recap\\w*", "prove", "reflect"),
    r"re-?(?:visit|trace|do|calculat|comput|count|evaluat|consider|examin|think|assess"
    r"|read|work|state|phrase|iterat|run|solv)\w*",
    r"(?:go|going|run|walk|think|work|look)\s+(?:it\s+|this\s+|that\s+)?"
    r"(?:through|over|back)",
    r"think\s+(?:about\s+)?(?:(?:it|this|that)\s+)?(?:again|differently|carefully|twice"
    r"|in another|more|if|whether)",
    r"(?:see|check|think|consider)\s+(?:if|whether)",
    r"(?:read|look\s+at|parse)\s+[^.?!\n]{0,40}\b(?:again|once more|carefully)",
    *("plug", "substitut"),
    r"\w+\s+[^.?!\n]{0,50}\b(?:again|once more|one more time|another time)\b",
)
_INTENT = _any(
    r"let\s+me",
    r"let's",
    r"let\s+us",
    r"i(?:'ll|'d| will| should| can| could| might| must| may| need| want| would)"
    r"(?:\s+(?:also|like|want|need|probably|just))*(?:\s+to)?",
    r"(?:maybe|perhaps)\s+(?:i|we)\s+(?:should|can|could|need\s+to)",
    r"we\s+(?:can|could|should)(?:\s+also)?",
    r"(?:just\s+|only\s+|and\s+)?to",
    r"(?:just|by|for|it's (?:always )?(?:good|best|better|worth|important)(?:\s+to)?)",
    r"in\s+order\s+to",
)
_OTHER_WAY = (
    r"(?:another|different|other|alternative|alternate|(?<=a )second)\s+(?:\w+\s+)?"
    r"(?:way|approach|method|angle|perspective|check|thing|thought|possibility|"
    r"interpretation|route|view|strategy|calculation|order|confusion|issue|scenario|"
    r"consideration|question|point|concern|reading|meaning)"
)
# "I can confirm that 12 is right" is an outcome; "I can confirm it by" begins a check.
_OUTCOME = (
    r"(?:can|could)\s+(?:\w+ly\s+|now\s+|also\s+)?(?:confirm|conclude|be\s+(?:\w+\s+)?"
    r"(?:sure|certain|confident))\b"
    r"(?!\s+(?:by|with|using|via|through|if|whether|(?:it|this|that)\s+(?:by|with|using)))"
)
_LOOK_AHEAD = r"(?=[^\n]{0,200}"
# ASSUME: these forms, written by hand from real thoughts, are all ways to turn back.
_FORMS = {
    "wait": r"(?:(?:but|oh|no|and|so|hmm+|actually|okay)[,\s]+){0,2}"
    r"(?:wait|hold\s+on|hang\s+on|hold\s+up)\b(?:,?\s+a\s+(?:second|minute|moment|sec)\b)?",
    "alternatively": rf"(?:{_BUT}|or[,\s]+)?alternatively\b",
    "another": rf"{_BUT}?"
    + _any(
        rf"(?:i\s+(?:guess|suppose|think)\s+)?(?:an|one|a|yet|still)?\s?{_OTHER_WAY}\b",
        rf"(?:{_INTENT}|maybe|is\s+there|are\s+there)\s+[^.?!\n]{{0,60}}\b{_OTHER_WAY}",
        rf"(?:using|with|by|in)\s+(?:an?)?\s?{_OTHER_WAY}\b",
    ),
    "check": rf"{_BUT}?(?!(?:i|we)\s+{_OUTCOME}){_INTENT}\s+{_ADVERB}{_CHECK_VERB}",
    "checking": rf"{_BUT}?"
    r"(?:just\s+|quick\s+|a\s+|as\s+an?\s+(?:\w+\s+)?|for\s+|one\s+)?"
    + _any(
        r"(?:double|re|cross|sanity)?[- ]?check(?:ing)?\b",
        r"verif(?:ying|ication)\b",
        r"confirming\b",
        r"(?:to\s+)?recap(?:ping)?\b",
        r"(?:re-?)?(?:reading|checking|examining|calculating|thinking|visiting)\s+"
        r"(?:\w+\s+){0,3}(?:again|back|problem|question|statement)\b",
        r"(?:going|looking|thinking)\s+(?:back|again)\b",
        r"plugging\b",
        r"last\s+(?:time|check)\b",
        r"more\s+(?:time|thing|check)\b",
    ),
    "doubt": rf"(?:{_BUT}|or[,\s]+)?"
    + _any(
        *("is", "are", "was", "were", "does", "do", "did", "should", "could", "would"),
        *("can", "am", "have", "has", "what about", "how about", "why", "maybe"),
        *("perhaps", "might", "may", "suppose", "unless", "if"),
    )
    + rf"\b{_LOOK_AHEAD}\?)",
    "wonder": rf"{_BUT}?"
    + _any(
        r"i\s+wonder",
        r"what\s+if",
        r"unless\s+(?:there|i|i'm|we|we're|i've|the\s+(?:problem|question|wording))\b",
        r"(?:maybe|perhaps)\s+(?:i|we|i've)\s+(?:made|missed|mis\w+|messed|mixed|am|should)",
        r"on\s+second\s+thought",
        r"i'm\s+(?:not\s+(?:\w+\s+)?sure|(?:a\s+(?:bit|little)\s+)?(?:confused|worried))",
        r"(?:am|did|have)\s+i\b",
        r"(?:that|this|it)\s+(?:can't|cannot|couldn't)\s+(?:really\s+|actually\s+)?be\s+"
        r"(?:that|so|right|correct|all|it)\b",
        r"(?:that|this|it)\s+(?:seems|looks|is|sounds)\s+(?:\w+\s+)?"
        r"(?:too\s+|wrong|off\b|strange|weird|odd\b|low\b|high\b|unlikely|incorrect|"
        r"not\s+right)",
    ),
    "confidence": rf"{_BUT}?i\s+(?:don't|do not|can't|cannot)\s+"
    r"(?:think|see|believe)\s+(?:i|we|i've|that\s+i|any|there)[^.?!\n]{0,30}"
    r"\b(?:made|missed|miss|mistakes?|errors?|wrong|overlook)",
    "but": rf"(?:hmm+[,.\s]+)?{_BUT}{_LOOK_AHEAD}"
    + _any(
        r"\?",
        *(r"\bmaybe\b", r"\bperhaps\b", r"\bwhat if\b", r"\bmight\b", r"\bcould be\b"),
        rf"\b(?:let me|let's|i should|i want to|to)\s+{_ADVERB}{_CHECK_VERB}",
    )
    + ")",
    "hmm": rf"hmm+\b{_LOOK_AHEAD}(?:\?|\bbut\b|"
    rf"\b(?:maybe|perhaps)\s+(?:i|we|it|they|there|he|she|the\s+(?:problem|question))\b|"
    rf"\b(?:let me|let's|i should)\s+{_ADVERB}{_CHECK_VERB}))",
    "denial": r"[^.?!\n=]{0,40}=[^.?!\n]{0,24}\bis\s+(?:not|n't|wrong|incorrect)\b",
}
CUE = re.compile(
    rf"(?P<filler>{_FILLER})(?:{'|'.join(f'(?P<{k}>{v})' for k, v in _FORMS.items())})",
    re.IGNORECASE,
)
FIRST_WORD = re.compile(
    rf"\W*(?P<hmm>hmm+)\b|{_FILLER}(?<!\w)(?P<word>but|however|alternatively)\b", re.I
)
CONSEQUENCE = re.compile(r"[-*>#\s]*(?:so|therefore|thus|then)\b", re.IGNORECASE)
TAG_QUESTION = re.compile(
    r"(?<!that )(?<!this )(?<!it )\b(?:right|yes|correct|ok(?:ay)?|no)\?", re.IGNORECASE
)
NEW_TURN = re.compile(
    r"(?:but,?\s+(?:wait|hold on|what if|alternatively|also)|"
    r"wait,?\s+(?:but|actually|hold|maybe|what if|hmm|is|does|did|should|could)|"
    r"hold on|hang on|another thing|another check|actually,?\s+wait)\b",
    re.IGNORECASE,
)

GUESS = re.compile(r"\W*(?:maybe|perhaps)\b", re.IGNORECASE)
SUPPOSITION = re.compile(r"\b(?:maybe|perhaps|would|could|might|if)\b", re.IGNORECASE)
AGREEMENT = re.compile(
    r"\W*(?:(?:yeah|yes|yep|probably|sure|right)\b"
    r"|but\s+(?:that|this)(?:'s|\s+is)\s+(?:\w+\s+)?(?:what|how)\s+(?:i|we)\b)",
    re.IGNORECASE,
)
SAME_AGAIN = re.compile(
    r"\b(?:that|this|it)(?:'s|\s+is|\s+would\s+be)\s+(?:\w+\s+)?the\s+same\b",
    re.IGNORECASE,
)
RETURN_TO_TEXT = re.compile(
    r"\b(?:re-?read\w*|(?:read|look(?:ing)?|go(?:ing)?)\s+(?:back\s+)?(?:at\s+|to\s+)?(?:the\s+)?"
    r"(?:original\s+|initial\s+)?(?:problem|question|wording|statement|text)|"
    r"check(?:ing)?\s+(?:the\s+)?(?:problem|question|wording|statement|text|initial)|"
    r"(?:problem|question|original|statement)\b[^.?!\n]{0,20}\b"
    r"(?:says?|states?|said|asks?|asking|mentions?|gives?|wording|again)|"
    r"(?:mis)?(?:interpret|read|underst[ao]nd|understood)\w*\s+[^.?!\n]{0,24}"
    r"(?:problem|question|correctly)|in the (?:question|problem))\b",
    re.IGNORECASE,
)
OTHER_METHOD = re.compile(rf"\b{_OTHER_WAY}|\bdifferently\b", re.IGNORECASE)
OTHER_READING = re.compile(
    r"\b(?:(?:mis)?interpret(?:ation|ed differently)\w*|confusion|ambigu\w*|"
    r"misread|different meaning|another meaning)\b(?! correct)",
    re.IGNORECASE,
)
COUNTERFACTUAL = re.compile(
    r"\bif (?:the|it|he|she|they|there|this|that|each|i)\b[^.,]{0,60}"
    r"\b(?:was|were|had|said|meant|didn't|asked)\b|\bsometimes\b",
    re.IGNORECASE,
)
METHOD = re.compile(
    r"\b(?:maybe|perhaps|could|can) (?:i (?:can|could|should) |we (?:can|could) )?"
    r"(?:think|calculat\w*|comput\w*|check|us(?:e|ing)|break\w*|approach|solve|do|try|"
    r"consider|look|add\w*|multiply\w*|divid\w*|subtract\w*|write|set|"
    r"there's another way)\b",
    re.IGNORECASE,
)
CHECK_WORD = re.compile(r"\b(?:check|verif|sure|confirm)", re.IGNORECASE)
RAISED_DOUBT = re.compile(
    r"(?:but |wait,? |hmm,? )*(?:maybe|perhaps|is there|is it|does|what if|could|"
    r"another thought|suppose|unless)\b",
    re.IGNORECASE,
)
SUSPICION = re.compile(
    r"\b(?:maybe|perhaps|what if|possibility|might|makes? sense|trick\w*|not right|"
    r"wrong|wonder|unless|misread|ambigu\w*|is that (?:right|correct)|"
    r"what about\b[^.!?\n]*\?|"
    r"could\b[^.?!\n]*\?|"
    r"(?:is|are|was|does|do|did|should|am)\b[^.!?\n]*\?)",
    re.IGNORECASE,
)
_VERDICT_WORD = _any(
    *("right", "correct(?:ly)?", "good", "reasonable", "logical", "consistent", "fine"),
    *("straightforward", "solid", "valid", "accurate", "same", "clear", "okay", "ok"),
    *("true", "perfect", "confident", "sure", "equal"),
)
VERDICT = re.compile(
    r"\b(?:that|this|it|which|everything|all|answer|result|numbers?|calculations?|"
    r"math|logic|reasoning|steps?|both|problem|question|approach|i|i'm)(?:'s|'m|\b)[^.?!\n]{0,30}?"
    r"(?:'s|'m|\b(?:is|are|am|seems?|looks?|sounds?|still|also|indeed|feel|be))\b"
    rf"[^.?!\n]{{0,20}}?\b{_VERDICT_WORD}\b"
    r"|\bmakes? (?:perfect )?sense\b|\bchecks? out\b|\bmatch(?:es)?\b|\badds? up\b"
    rf"|\b(?:i|we)\s+{_OUTCOME}"
    r"|\bconfirm(?:s|ed)\b|\bconsistent\b|\bsame (?:answer|result|number|thing|total)\b"
    r"|\bcorrect\b|\bno (?:mistakes?|errors?|issues?|problems?)\b|\bworks?(?: out)?\.$"
    r"|^(?:yes|yep|yeah|yup|right|correct|perfect|good|great|exactly)\b"
    r"|\bso,? (?:yes|yep|yeah|no|probably not)\b|\bnot the case\b"
    r"|\bso\b[^.?!\n]{0,12}\bassume\b",
    re.IGNORECASE,
)
