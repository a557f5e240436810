"""Start and end of the thought, for hand-made rows of the table of traces."""

from doubletake.text.known_formats import KNOWN_FORMATS


def edges_of(text: str, left: str = "<think>\n") -> dict[str, int | None]:
    """Columns of `TRACES`; a text without a start marker begins inside a thought."""
    opens = text.lstrip().startswith("<think>")
    edges = KNOWN_FORMATS[0].edges(text, left if opens else "")
    return {
        "thought_start": edges.start,
        "thought_stop": edges.stop,
        "answer_start": edges.answer,
    }
