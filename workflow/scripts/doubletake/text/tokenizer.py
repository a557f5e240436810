"""The tokenizer of a study: chat prompts, markers of the thought, tokens and offsets.

Every stage counts positions in `prompt_ids + completion_ids`. The characters of these
positions are computed here from the token ids. No other module tokenizes a completion's
text again to find them.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer
from transformers.utils import cached_file

from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.chat_templates import (
    DATE_NOTE,
    QUESTION,
    TODAY,
    with_pinned_date,
)
from doubletake.text.known_formats import check_marker, format_of_model
from doubletake.text.literal_tokenizers import is_control
from doubletake.text.lossless_tokenizer import LosslessTokenizer
from doubletake.text.remote_code import CONFIGS, refuse_code
from doubletake.text.thought_format import Edges

DATES = ("2001-02-03T04:05:06", "2012-11-23T14:35:47")
"""Two dates that differ in every part that a template may write."""


class TraceTokenizer(LosslessTokenizer):
    """A tokenizer together with the thought format of a reasoning model."""

    def __init__(self, tokenizer: Any, settings: ModelSettings) -> None:
        """Wrap a fast tokenizer of transformers.

        Raises:
            InputError: the bytes of the tokens are not known, the chat template is
                missing, or the thought format is unknown or cannot be written by the
                tokenizer.
        """
        super().__init__(tokenizer, settings.source)
        self.settings = settings
        if not tokenizer.chat_template:
            raise InputError(f"{self.name}: the tokenizer has no chat template")
        try:
            self._template = tokenizer.get_chat_template()
        except ValueError as error:
            raise InputError(
                f"{self.name}: has several chat templates, but none is called "
                "'default'; write the one to use into chat_template.jinja"
            ) from error
        with self._errors_with_name():
            self.format = format_of_model(
                settings.start_of_thought,
                settings.end_of_thought,
                self._template,
                self.added.values(),
                opened=settings.open_thought,
            )
            for marker in (self.format.start, self.format.end):
                check_marker(marker, self.decode(self.encode(marker))[0])

    @property
    def stop_ids(self) -> set[int]:
        """Tokens that end a completion."""
        stop = self.tokenizer.eos_token_id
        return set() if stop is None else {stop}

    def stops_with(self, model_stops: set[int]) -> set[int]:
        """Tokens that end a completion, by the tokenizer and by the model.

        Args:
            model_stops: the tokens that the model's own settings name.

        Raises:
            InputError: the end marker holds one of the tokens, so that a completion
                would end before its answer.
        """
        stops = self.stop_ids | model_stops
        inside = stops.intersection(self.encode(self.format.end))
        if inside:
            raise InputError(
                f"{self.name}: the end marker {self.format.end!r} holds "
                f"{self.text_of(min(inside))!r}, which ends a completion, so that no "
                "answer would be written; name another end_of_thought"
            )
        return stops

    def prompt_ids(self, question: str) -> list[int]:
        """Token ids of the chat prompt for a question, up to the first thought token.

        They are the result of the tokenizer's own chat template. If the model's
        `open_thought` is set and the template does not open the thought, the start
        marker follows.

        Raises:
            InputError: the template fails, closes the thought or doubles the BOS, or
                the question holds a special token.
        """
        ids = self._templated(question)
        self._check_bos(ids)
        text, _ = self.decode(ids)
        if question.strip() not in text:
            raise InputError(
                f"{self.name}: the prompt does not hold the question as it is (it "
                f"reads {text[-80:]!r}): the chat template leaves it out or the "
                f"tokenizer changes it: {question[:60]!r}"
            )
        special = self._controls(ids) - self._template_controls
        if special:
            token = self.added[min(special)]
            raise InputError(
                f"{self.name}: the question holds {token!r}, which is a control token "
                f"of this tokenizer: {question[:60]!r}"
            )
        if not self.settings.open_thought:
            return ids
        return ids + self.encode(self._left_by_template)

    @cached_property
    def opening_left(self) -> str:
        """The text before the thought that a completion has to write.

        Returns:
            Empty if the prompt opens the thought.

        Raises:
            InputError: the prompt closes the thought.
        """
        return "" if self.settings.open_thought else self._left_by_template

    @cached_property
    def _left_by_template(self) -> str:
        """The part of the opening of the thought that the chat template leaves out."""
        bare, whole = (
            self.decode(self._templated(QUESTION, turn=turn))[0]
            for turn in (False, True)
        )
        with self._errors_with_name():
            turn = self.format.turn_start(bare, whole, QUESTION)
            return self.format.opening_left(turn)

    def edges(self, text: str, *, cut_off: bool = False) -> Edges:
        """Where the thought lies in the text of a completion, cut off or not."""
        return self.format.edges(text, self.opening_left, cut_off=cut_off)

    def _templated(
        self, question: str, date: str | None = None, *, turn: bool = True
    ) -> list[int]:
        """Token ids of a prompt by the tokenizer's own chat template.

        Args:
            question: of the user.
            date: of today for the template; None: the date of the settings.
            turn: whether the prompt starts the model's turn.
        """
        date = date or self.settings.date
        try:
            template = self._template
            dates: dict[str, Any] = {}
            if date is not None:
                template, dates = with_pinned_date(template, date)
            return self.tokenizer.apply_chat_template(
                [{"role": "user", "content": question}],
                chat_template=template,
                tokenize=True,
                return_dict=False,
                add_generation_prompt=turn,
                **dates | self.settings.template_arguments,
            )
        except (TemplateError, TypeError, ValueError, LookupError) as error:
            raise InputError(f"{self.name}: chat template failed: {error}") from error

    @cached_property
    def date_note(self) -> str:
        """`DATE_NOTE` if the prompts hold the date of the run; else empty."""
        if self.settings.date is not None or TODAY not in self._template:
            return ""
        try:
            prompts = [self._templated(QUESTION, date) for date in DATES]
        except InputError:
            return DATE_NOTE  # a date that cannot be pinned may be in the prompt
        return DATE_NOTE if prompts[0] != prompts[1] else ""

    def _check_bos(self, ids: list[int]) -> None:
        """Refuse two BOS tokens at the start, with or without white space between."""
        bos = self.tokenizer.bos_token_id
        after = [token for token in ids[1:] if self.piece(token).strip()]
        if bos is not None and ids[0] == bos and after[:1] == [bos]:
            raise InputError(
                f"{self.name}: the prompt begins with two BOS tokens; the chat "
                f"template must write {self.tokenizer.bos_token!r} once"
            )

    def _controls(self, ids: list[int]) -> Counter[int]:
        """The number of times that each control token occurs."""
        return Counter(token for token in ids if token in self._control_ids)

    @cached_property
    def _template_controls(self) -> Counter[int]:
        """The control tokens that the chat template itself writes into a prompt."""
        return self._controls(self._templated(QUESTION))

    @cached_property
    def _control_ids(self) -> set[int]:
        added = self.tokenizer.added_tokens_decoder.items()
        return {k for k, part in added if is_control(part.content, part.special)}

    @contextmanager
    def _errors_with_name(self) -> Iterator[None]:
        """Put the model's name before the message of an error."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from error


def load_tokenizer(settings: ModelSettings) -> TraceTokenizer:
    """Load a study's tokenizer at its pinned revision.

    Raises:
        InputError: the tokenizer cannot be found or read, or cannot be used.
    """
    trusted = settings.trust_remote_code
    try:
        if not trusted:
            refuse_code(settings.source, _config_files(settings))
        tokenizer = AutoTokenizer.from_pretrained(
            settings.source, trust_remote_code=trusted, revision=settings.revision
        )
    except (OSError, ValueError) as error:
        raise InputError(f"cannot load the tokenizer {settings.source}: {error}") from (
            error
        )
    return TraceTokenizer(tokenizer, settings)


def _config_files(settings: ModelSettings) -> list[Path]:
    """The files of a folder or of a hub model that can name code."""
    found = [
        cached_file(
            settings.source,
            name,
            revision=settings.revision,
            _raise_exceptions_for_missing_entries=False,
        )
        for name in CONFIGS
    ]
    return [Path(path) for path in found if path is not None]
