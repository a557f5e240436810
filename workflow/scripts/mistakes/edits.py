"""Changes made on the stored tokens: what is decoded on, and the rows of the edits."""

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import Any

from doubletake.model.continued_thoughts import Stem
from doubletake.text.sentences import Span
from doubletake.text.token_cuts import replaced
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from mistakes.changes import Change
from mistakes.names import EXTERNAL
from mistakes.sites import Thought


@dataclass(frozen=True, eq=False)
class Edit:
    """A change of a thought on tokens, and what goes on from it."""

    thought: Thought
    change: Change
    ids: tuple[int, ...]
    """The first tokens of the changed completion; of `external` those that the user's
    text was made of."""
    first: int
    """Tokens of the completion before the change."""
    end: int
    """Index in `ids` of the token after the changed ones."""
    own_end: int
    """Index in the completion of the token after those that were replaced."""
    kept: int
    """Tokens of the completion before the cut."""
    prompt: tuple[int, ...] | None = None
    """The prompt with the changed thought, of `external`."""

    @property
    def name(self) -> str:
        """Tells the edits of a thought apart."""
        return f"{self.change.place}/{self.change.kind}"

    def text(self, tokenizer: TraceTokenizer) -> str:
        """The changed completion up to the cut."""
        return tokenizer.decode(list(self.ids))[0]

    def stem(self, draws: int, max_tokens: int | None) -> Stem:
        """What is decoded on; the edits of a place draw equal random numbers.

        Args:
            draws: number of continuations.
            max_tokens: most new tokens; None: as many as a thought may have.
        """
        drawn = self.thought.drawn
        ids = self.ids
        if self.prompt is not None:
            changed = drawn.trace | {"prompt_ids": list(self.prompt)}
            drawn, ids = replace(drawn, trace=changed), ()
        return Stem(drawn, self.name, ids, draws, self.change.place, max_tokens)


def edit_of(thought: Thought, change: Change, tokenizer: TraceTokenizer) -> Edit:
    """The change on tokens, cut at the end of its sentence.

    Args:
        thought: of the study.
        change: of it.
        tokenizer: of the model.
    """
    trace, stop = thought.drawn.trace, change.sentence.end
    own = trace["completion_ids"]
    if change.span.start < change.span.end:
        made = replaced(trace, change.span, change.text, stop, tokenizer)
        ids, first, end, own_end = made.ids, made.first, made.end, made.own_end
        kept = own_end + len(ids) - end
    else:
        kept = bisect_left([*trace["offsets"], len(trace["text"])], stop)
        ids, first, end, own_end = tuple(own[:kept]), kept, kept, kept
    if change.appended:
        ids = (*ids, *tokenizer.encode_plain(_spaced(trace, kept, change.appended)))
        if change.span.start == change.span.end:
            end = len(ids)
    return Edit(thought, change, ids, first, end, own_end, kept)


def _spaced(trace: dict[str, Any], kept: int, text: str) -> str:
    """A text with the space before it that the kept tokens leave out."""
    offsets = trace["offsets"]
    cut = offsets[kept] if kept < len(offsets) else len(trace["text"])
    return text if trace["text"][cut - 1 : cut].isspace() else f" {text}"


def external_edit(edit: Edit, wording: str, tokenizer: TraceTokenizer) -> Edit:
    """The same false beginning as the words of the user.

    Args:
        edit: of the thought.
        wording: of the user, with `{question}` and `{beginning}`.
        tokenizer: of the model.

    Raises:
        InputError: the chat template does not take the text.
    """
    start = thought_span(edit.thought.drawn.trace).start
    beginning = edit.text(tokenizer)[start:].strip()
    said = wording.format(question=edit.thought.drawn.question, beginning=beginning)
    change = replace(edit.change, kind=EXTERNAL)
    prompt = tuple(tokenizer.prompt_ids(said))
    return replace(edit, change=change, prompt=prompt)


def edit_row(edit: Edit) -> dict[str, Any]:
    """A row of `EDITS`."""
    change, trace = edit.change, edit.thought.drawn.trace
    return {
        "trace": edit.thought.name,
        "problem": trace["problem"],
        "place": change.place,
        "kind": change.kind,
        "sentence": change.sentence.start,
        "cut": change.sentence.end,
        "start": change.span.start,
        "end": change.span.end,
        "old": trace["text"][slice(*change.span)],
        "new": change.text,
        "appended": change.appended,
        "first": len(trace["prompt_ids"]) + edit.first,
        "old_tokens": trace["completion_ids"][edit.first : edit.own_end],
        "new_tokens": list(edit.ids[edit.first : edit.end]),
        "kept": edit.kept,
    }


def characters_changed(edit: Edit, tokenizer: TraceTokenizer) -> bool:
    """Whether the tokens hold exactly the study's text with the named characters.

    The text is put together from the study's text; the tokens are decoded.
    """
    trace, change = edit.thought.drawn.trace, edit.change
    text, offsets = trace["text"], [*trace["offsets"], len(trace["text"])]
    cut = offsets[edit.kept]
    span = change.span
    wanted = text[: span.start] + change.text + text[span.end : cut]
    if change.span == Span(change.sentence.end, change.sentence.end):
        wanted = text[:cut]
    got = edit.text(tokenizer)
    tail = got[len(wanted) :]
    if not (got.startswith(wanted) and tail.strip() == change.appended):
        return False
    if edit.prompt is None:
        return True
    beginning = wanted[thought_span(trace).start :].strip()
    return beginning in tokenizer.decode(list(edit.prompt))[0]


def tokens_kept(edit: Edit, tokenizer: TraceTokenizer) -> bool:
    """Whether all tokens outside the change are the study's own.

    Which ones these are is read from the characters of the change and the offsets of
    the study's tokens, not from the indices with which the edit was made.
    """
    trace, change = edit.thought.drawn.trace, edit.change
    own = trace["completion_ids"]
    ends = [*trace["offsets"], len(trace["text"])]
    spans = list(zip(own, ends, ends[1:], strict=False))
    stop = change.sentence.end
    cut = min((end for _, _, end in spans if end >= stop), default=ends[-1])
    start, end = change.span
    if start == end:
        start = end = cut
    before = [token for token, _, last in spans if last <= start]
    after = [token for token, first, last in spans if end <= first < last <= cut]
    made = list(edit.ids)[: len(edit.ids) - _appended(edit, tokenizer)]
    return made[: len(before)] == before and made[len(made) - len(after) :] == after


def _appended(edit: Edit, tokenizer: TraceTokenizer) -> int:
    """The number of last tokens that make up the appended text."""
    for number in range(len(edit.ids) + 1):
        last = list(edit.ids[len(edit.ids) - number :])
        if tokenizer.decode(last)[0].strip() == edit.change.appended:
            return number
    return 0
