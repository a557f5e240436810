"""Where the thought lies in hand-made rows of the traces table."""

from doubletake.text.known_formats import KNOWN_FORMATS


def edges_of(text: str, left: str = "<think>\n") -> dict[str, int | None]:
    """Columns of `schemas.TRACES`; a text that opens no thought stands inside one."""
    opens = text.lstrip().startswith("<think>")
    found = KNOWN_FORMATS[0].edges(text, left if opens else "")
    return {
        "thought_start": found.start,
        "thought_stop": found.stop,
        "answer_start": found.answer,
    }
