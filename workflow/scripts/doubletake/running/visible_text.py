"""Makes control and invisible characters of foreign text visible."""

import re
import unicodedata

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Replace every character that could control a page or a terminal.

    Control characters become their pictures (escape: U+241B). Marks of writing
    direction and invisible characters become their code points (`[U+202E]`). Code
    points without a character become U+FFFD. Tabs and line breaks stay. A Windows line
    break becomes one line break.
    """
    return _UNSAFE.sub(_picture, text.replace("\r\n", "\n"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    if unicodedata.category(match.group()) in ("Cc", "Cs", "Cn"):
        return "\ufffd"
    return f"[U+{code:04X}]"
