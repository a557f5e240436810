"""Tokens and characters of one model: prompts, markers, lossless decoding, offsets.

All stages speak of positions in `prompt_ids + completion_ids`. The map between those
positions and the characters of the completion's text is computed here, from the token
ids alone; nobody tokenizes a text a second time.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from tokenizers import Tokenizer
from transformers import AutoTokenizer
from transformers.utils import cached_file

from doubletake.model.remote_code import CONFIGS, refuse_code
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings
from doubletake.text.chat_templates import DATE_NOTE, QUESTION, TODAY, pinned
from doubletake.text.plain_tokenizers import (
    METASPACE,
    is_control,
    part_of,
    without_controls,
    without_prefix_space,
)
from doubletake.text.thought_format import Edges, check_marker, of_model

DATES = ("2001-02-03T04:05:06", "2012-11-23T14:35:47")  # all that shows differs


def byte_of_character() -> dict[str, int]:
    """Inverse of the byte alphabet of byte-level BPE (Radford et al. 2019, GPT-2).

    Printable bytes stand for themselves, the others for characters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + place): byte for place, byte in enumerate(shifted)}


class TraceTokenizer:
    """A tokenizer together with the thought format of a reasoning model."""

    def __init__(self, tokenizer: Any, settings: ModelSettings) -> None:
        """Wrap a fast tokenizer of transformers.

        Raises:
            InputError: no chat template, a thought format that is unknown or that the
                tokenizer cannot write, or token pieces whose bytes are not known.
        """
        self.tokenizer = tokenizer
        self.settings = settings
        self.name = settings.source
        if not tokenizer.is_fast:
            raise InputError(f"{self.name}: has no fast tokenizer (tokenizer.json)")
        if not tokenizer.chat_template:
            raise InputError(f"{self.name}: the tokenizer has no chat template")
        self._added = {
            index: token.content
            for index, token in tokenizer.added_tokens_decoder.items()
        }
        self._pieces: dict[int, bytes] = {}
        self._byte_level = self._has_byte_level_decoder()
        self._inner = without_prefix_space(tokenizer.backend_tokenizer)
        try:
            self._template = tokenizer.get_chat_template()
        except ValueError as error:
            raise InputError(
                f"{self.name}: has several chat templates and none named 'default'; "
                "write the one to use into chat_template.jinja"
            ) from error
        with self._named_errors():
            self.format = of_model(
                settings.start_of_thought,
                settings.end_of_thought,
                self._template,
                self._added.values(),
                opened=settings.open_thought,
            )
        for marker in (self.format.start, self.format.end):
            self._check_marker(marker)

    @property
    def stop_ids(self) -> set[int]:
        """Tokens that end a completion."""
        stop = self.tokenizer.eos_token_id
        return set() if stop is None else {stop}

    def stops_with(self, others: set[int]) -> set[int]:
        """Tokens that end a completion, by the tokenizer and by the model.

        Raises:
            InputError: the end marker holds one: a completion would end in it, before
                its answer.
        """
        stops = self.stop_ids | others
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

        They are what the tokenizer's own chat template gives; where the model's
        `open_thought` is set and the template does not open the thought, the start
        marker follows.

        Raises:
            InputError: the template failed, closes the thought or doubles the BOS, or
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
        special = self._controls(ids) - self._own_controls
        if special:
            token = self._added[min(special)]
            raise InputError(
                f"{self.name}: the question holds {token!r}, which is a control token "
                f"of this tokenizer: {question[:60]!r}"
            )
        if not self.settings.open_thought:
            return ids
        return ids + self.encode(self._template_leaves)

    @cached_property
    def opening_left(self) -> str:
        """What a completion writes before its thought; empty if the prompt wrote it.

        Raises:
            InputError: the prompt closes the thought.
        """
        return "" if self.settings.open_thought else self._template_leaves

    @cached_property
    def _template_leaves(self) -> str:
        """What the chat template leaves of the opening of the thought."""
        bare, whole = (
            self.decode(self._templated(QUESTION, turn=turn))[0]
            for turn in (False, True)
        )
        with self._named_errors():
            turn = self.format.turn_of(bare, whole, QUESTION)
            return self.format.opening_left(turn)

    def edges(self, text: str, *, cut_off: bool = False) -> Edges:
        """Where the thought lies in the text of a completion, cut off or not."""
        return self.format.edges(text, self.opening_left, cut_off=cut_off)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text that goes on, in which markers count as markers.

        No BOS and no prefix space is added.
        """
        return self._inner.encode(text, add_special_tokens=False).ids

    def encode_plain(self, text: str) -> list[int]:
        """Token ids of foreign text that goes on.

        What looks like a control token stays text; no prefix space is added.
        """
        return self._plain.encode(text, add_special_tokens=False).ids

    @cached_property
    def _plain(self) -> Tokenizer:
        return without_controls(self._inner)

    def _templated(
        self, question: str, date: str | None = None, *, turn: bool = True
    ) -> list[int]:
        """Token ids that the tokenizer's own chat template gives.

        Args:
            question: of the user.
            date: what the template takes for today; None: as the settings say.
            turn: whether the model's turn is opened.
        """
        date = date or self.settings.date
        try:
            template = self._template
            dates: dict[str, Any] = {}
            if date is not None:
                template, dates = pinned(template, date)
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
        """`DATE_NOTE` where the prompts hold the date of the run; else empty."""
        if self.settings.date is not None or TODAY not in self._template:
            return ""
        try:
            years = [self._templated(QUESTION, date) for date in DATES]
        except InputError:
            years = [[], [0]]  # it cannot be pinned, so it counts as dated
        return DATE_NOTE if years[0] != years[1] else ""

    def _check_bos(self, ids: list[int]) -> None:
        """Refuse two BOS tokens at the start, white space between them or not."""
        bos = self.tokenizer.bos_token_id
        rest = [index for index in ids[1:] if self.piece(index).strip()]
        if bos is not None and ids[0] == bos and rest[:1] == [bos]:
            raise InputError(
                f"{self.name}: the prompt begins with two BOS tokens; the chat "
                f"template must write {self.tokenizer.bos_token!r} once"
            )

    def _controls(self, ids: list[int]) -> Counter[int]:
        """How often each control token occurs."""
        return Counter(index for index in ids if index in self._control_ids)

    @cached_property
    def _own_controls(self) -> Counter[int]:
        """The control tokens that the chat template itself writes into a prompt."""
        return self._controls(self._templated(QUESTION))

    @cached_property
    def _control_ids(self) -> set[int]:
        added = self.tokenizer.added_tokens_decoder.items()
        return {k for k, part in added if is_control(part.content, part.special)}

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """Say which model an error is about."""
        try:
            yield
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from error

    def text_of(self, token: int) -> str:
        """Text of one token alone; what is no whole character shows as U+FFFD."""
        if token >= len(self.tokenizer):
            return f"[{token}]"  # a padding row of the embedding
        return self.piece(token).decode("utf-8", "replace")

    def decode(self, ids: list[int]) -> tuple[str, list[int]]:
        """Text of the tokens, and the character at which each token starts.

        A token that begins inside a character starts at that character. Nothing is
        skipped or cleaned up.

        Raises:
            InputError: the bytes of the tokens are no text (not valid UTF-8).
        """
        pieces = [self.piece(index) for index in ids]
        data = b"".join(pieces)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"tokens are no valid text: {error}") from error
        starts: list[int] = []
        character, place = -1, 0
        for piece in pieces:
            starts.append(character + (place == len(data) or _leads(data[place])))
            character += sum(map(_leads, piece))
            place += len(piece)
        return text, starts

    def complete_characters(self, ids: list[int]) -> list[int]:
        """The tokens without a last character that was cut in the middle."""
        for dropped in range(min(3, len(ids)) + 1):
            kept = ids[: len(ids) - dropped]
            tail = b"".join(self.piece(index) for index in kept[-4:])
            if _ends_whole(tail):
                return kept
        return ids

    def piece(self, index: int) -> bytes:
        """The bytes that a token stands for."""
        if index not in self._pieces:
            self._pieces[index] = self._bytes_of(index)
        return self._pieces[index]

    def _bytes_of(self, index: int) -> bytes:
        if index in self._added:
            content = self._added[index]
            token = self.tokenizer.added_tokens_decoder[index]
            if not self._byte_level and not token.special:
                content = content.replace(METASPACE, " ")
            return content.encode()
        token = self.tokenizer.convert_ids_to_tokens(index)
        if token is None:
            raise InputError(f"{self.name}: the tokenizer has no token {index}")
        if self._byte_level:
            return bytes(_BYTES[character] for character in token)
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes([int(token[3:5], 16)])
        return token.replace(METASPACE, " ").encode()

    def _check_marker(self, marker: str) -> None:
        """Refuse a marker that does not survive the tokenizer."""
        with self._named_errors():
            check_marker(marker, self.decode(self.encode(marker))[0])

    def _has_byte_level_decoder(self) -> bool:
        decoder = part_of(self.tokenizer.backend_tokenizer.decoder)
        parts = (decoder or {}).get("decoders", [decoder])
        kinds = {part["type"] for part in parts if part}
        if "ByteLevel" in kinds:
            return True
        if "ByteFallback" in kinds:
            return False
        raise InputError(
            f"{self.name}: token pieces of kind {sorted(kinds)} are not known "
            "(known: ByteLevel, ByteFallback)"
        )


def load_tokenizer(settings: ModelSettings) -> TraceTokenizer:
    """Load a study's tokenizer at its pinned revision.

    Raises:
        InputError: it cannot be found or read, or lacks what a trace needs.
    """
    place = {"revision": settings.revision}
    trusted = settings.trust_remote_code
    try:
        if not trusted:
            refuse_code(settings.source, _config_files(settings))
        tokenizer = AutoTokenizer.from_pretrained(
            settings.source, trust_remote_code=trusted, **place
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


_BYTES = byte_of_character()


def _leads(byte: int) -> bool:
    """Whether a byte starts a UTF-8 character (and does not continue one)."""
    return byte & 0xC0 != 0x80


def _ends_whole(data: bytes) -> bool:
    """Whether the last character of the data has all its bytes."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if _leads(byte):
            width = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back >= width
    return not data
