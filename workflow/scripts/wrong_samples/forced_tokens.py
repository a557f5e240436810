"""The tokens from which a continuation starts: the kept ones, and forced ones."""

from doubletake.text.tokenizer import TraceTokenizer
from wrong_samples.cases import Case


def kept_tokens(case: Case, kept: int) -> list[int]:
    """The first tokens of the whole completion."""
    return list(case.thought.trace["completion_ids"][:kept])


def with_word(case: Case, kept: int, word: str, tokenizer: TraceTokenizer) -> list[int]:
    """The kept tokens and a word, after the white space that the thought writes there.

    Without white space there, a space stands before the word.
    """
    text, offsets = case.thought.trace["text"], case.thought.trace["offsets"]
    cut = offsets[kept] if kept < len(offsets) else len(text)
    rest = text[cut:]
    space = rest[: len(rest) - len(rest.lstrip())]
    if not space and cut and not text[cut - 1].isspace():
        space = " "
    return kept_tokens(case, kept) + tokenizer.encode_plain(space + word)


def with_end(case: Case, kept: int, tokenizer: TraceTokenizer) -> list[int]:
    """The kept tokens and the end of the thought; the model writes the answer."""
    form = tokenizer.format
    before = tokenizer.decode(kept_tokens(case, kept))[0]
    space = "" if before.endswith(form.before_end) else form.before_end
    return kept_tokens(case, kept) + tokenizer.encode(space + form.end)
