"""Tokens and characters of one model: prompts, markers, lossless decoding, offsets.

All stages speak of positions in `prompt_ids + completion_ids`. The map between those
positions and the characters of the completion's text is computed here, from the token
ids alone; nobody tokenizes a text a second time.
"""

import json
from functools import cached_property
from typing import Any

from jinja2 import TemplateError
from transformers import AutoTokenizer
from transformers.models.auto.tokenization_auto import get_tokenizer_config

from doubletake.errors import InputError
from doubletake.remote_code import refuse_code
from doubletake.studies import ModelSettings

METASPACE = "\u2581"


def byte_of_character() -> dict[str, int]:
    """Inverse of the byte alphabet of byte-level BPE (Radford et al. 2019, GPT-2).

    Printable bytes stand for themselves, the others for characters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + place): byte for place, byte in enumerate(shifted)}


class TraceTokenizer:
    """A tokenizer together with the markers of a reasoning model."""

    def __init__(self, tokenizer: Any, settings: ModelSettings) -> None:
        """Wrap a fast tokenizer of transformers.

        Raises:
            InputError: no chat template, no end-of-thought token, or token pieces of
                a kind whose bytes are not known.
        """
        self.tokenizer = tokenizer
        self.settings = settings
        self.name = settings.source
        if not tokenizer.is_fast:
            raise InputError(f"{self.name}: has no fast tokenizer (tokenizer.json)")
        if not tokenizer.chat_template:
            raise InputError(f"{self.name}: the tokenizer has no chat template")
        self.end_of_thought = self._marker(settings.end_of_thought)
        self.start_marker = settings.end_of_thought.replace("/", "", 1)
        self._added = {
            index: token.content
            for index, token in tokenizer.added_tokens_decoder.items()
        }
        self._pieces: dict[int, bytes] = {}
        self._byte_level = self._has_byte_level_decoder()

    @property
    def stop_ids(self) -> set[int]:
        """Tokens that end a completion."""
        stop = self.tokenizer.eos_token_id
        return set() if stop is None else {stop}

    def prompt_ids(self, question: str) -> list[int]:
        """Token ids of the chat prompt for a question, with exactly one BOS.

        The template's text is encoded without further special tokens: templates write
        the BOS themselves, and encoding their text with defaults would give two.

        Raises:
            InputError: the template failed, or gives another number of BOS.
        """
        try:
            text = self.tokenizer.apply_chat_template(
                [{"role": "user", "content": question}],
                tokenize=False,
                add_generation_prompt=True,
                **self.settings.template_arguments,
            )
        except (TemplateError, TypeError, ValueError, LookupError) as error:
            raise InputError(f"{self.name}: chat template failed: {error}") from error
        ids = self.encode(text)
        bos = self.tokenizer.bos_token_id
        if bos is not None and ids.count(bos) == 0:
            ids = [bos, *ids]
        if bos is not None and (ids[0] != bos or ids.count(bos) != 1):
            raise InputError(
                f"{self.name}: the prompt must hold one BOS at its start, but holds "
                f"{ids.count(bos)}, for the question {question[:60]!r}"
            )
        return ids

    @cached_property
    def prompt_opens_thought(self) -> bool:
        """Whether the prompt already ends inside the thought (`<think>` written)."""
        text, _ = self.decode(self.prompt_ids("?"))
        return text.rstrip().endswith(self.start_marker)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text in which markers count as markers; no BOS is added."""
        return self.tokenizer.encode(text, add_special_tokens=False)

    def encode_plain(self, text: str) -> list[int]:
        """Token ids of foreign text: what looks like a special token stays text."""
        return self.tokenizer.encode(
            text, add_special_tokens=False, split_special_tokens=True
        )

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
            return self._added[index].encode()
        token = self.tokenizer.convert_ids_to_tokens(index)
        if token is None:
            raise InputError(f"{self.name}: the tokenizer has no token {index}")
        if self._byte_level:
            return bytes(_BYTES[character] for character in token)
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes([int(token[3:5], 16)])
        return token.replace(METASPACE, " ").encode()

    def _marker(self, marker: str) -> int:
        index = self.tokenizer.convert_tokens_to_ids(marker)
        if index is None or index == self.tokenizer.unk_token_id:
            raise InputError(
                f"{self.name}: the tokenizer has no token {marker!r} "
                "(set end_of_thought of the model)"
            )
        return index

    def _has_byte_level_decoder(self) -> bool:
        decoder = json.loads(self.tokenizer.backend_tokenizer.to_str())["decoder"]
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
        refuse_code(
            settings.source, trusted, get_tokenizer_config(settings.source, **place)
        )
        tokenizer = AutoTokenizer.from_pretrained(
            settings.source, trust_remote_code=trusted, **place
        )
    except (OSError, ValueError) as error:
        raise InputError(f"cannot load the tokenizer {settings.source}: {error}") from (
            error
        )
    return TraceTokenizer(tokenizer, settings)


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
