"""A tokenizer that gives every text back: encoding, exact bytes, token offsets."""

from functools import cached_property
from typing import Any

from tokenizers import Tokenizer

from doubletake.running.errors import InputError
from doubletake.text.literal_tokenizers import (
    METASPACE,
    part_of,
    without_controls,
    without_prefix_space,
)


def _bytes_of_characters() -> dict[str, int]:
    """Inverse of the byte alphabet of byte-level BPE (Radford et al. 2019, GPT-2).

    Printable bytes stand for themselves, the others for characters from U+0100 on.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = [byte for byte in range(256) if byte not in printable]
    table = {chr(byte): byte for byte in printable}
    return table | {chr(256 + index): byte for index, byte in enumerate(shifted)}


_BYTES = _bytes_of_characters()


class LosslessTokenizer:
    """A tokenizer whose tokens are read as the bytes that they stand for."""

    def __init__(self, tokenizer: Any, name: str) -> None:
        """Wrap a fast tokenizer of transformers.

        Args:
            tokenizer: of the model.
            name: of the model, for messages.

        Raises:
            InputError: the tokenizer is not a fast one, or the bytes of its tokens are
                not known.
        """
        self.tokenizer = tokenizer
        self.name = name
        if not tokenizer.is_fast:
            raise InputError(f"{name}: has no fast tokenizer (tokenizer.json)")
        self.added = {
            index: token.content
            for index, token in tokenizer.added_tokens_decoder.items()
        }
        """Texts of the tokens that the tokenizer has besides its vocabulary, by id."""
        self._pieces: dict[int, bytes] = {}
        self._byte_level = self._has_byte_level_decoder()
        self._inner = without_prefix_space(tokenizer.backend_tokenizer)

    def encode(self, text: str) -> list[int]:
        """Token ids of a text inside a completion; markers in it count as markers.

        No BOS and no prefix space is added.
        """
        return self._inner.encode(text, add_special_tokens=False).ids

    def encode_plain(self, text: str) -> list[int]:
        """Token ids of a user's text inside a completion; markers in it stay text.

        No BOS and no prefix space is added.
        """
        return self._plain.encode(text, add_special_tokens=False).ids

    @cached_property
    def _plain(self) -> Tokenizer:
        return without_controls(self._inner)

    def piece(self, token: int) -> bytes:
        """The bytes that a token stands for.

        Raises:
            InputError: the tokenizer has no such token.
        """
        if token not in self._pieces:
            self._pieces[token] = self._bytes_of(token)
        return self._pieces[token]

    def text_of(self, token: int) -> str:
        """Text of one token; an incomplete character is shown as U+FFFD."""
        if token >= len(self.tokenizer):
            return f"[{token}]"  # a padding row of the embedding
        return self.piece(token).decode("utf-8", "replace")

    def decode(self, ids: list[int]) -> tuple[str, list[int]]:
        """Text of the tokens, and the character at which each token starts.

        A token that begins inside a character starts at this character. The text is
        complete: no token is skipped, and no space is cleaned up.

        Raises:
            InputError: the bytes of the tokens are not valid UTF-8.
        """
        pieces = [self.piece(token) for token in ids]
        data = b"".join(pieces)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"tokens are no valid text: {error}") from error
        starts: list[int] = []
        character, byte = -1, 0
        for piece in pieces:
            starts.append(character + (byte == len(data) or leads(data[byte])))
            character += sum(map(leads, piece))
            byte += len(piece)
        return text, starts

    def complete_characters(self, ids: list[int]) -> list[int]:
        """The tokens without a last character that is incomplete."""
        for dropped in range(min(3, len(ids)) + 1):
            kept = ids[: len(ids) - dropped]
            tail = b"".join(self.piece(token) for token in kept[-4:])
            if _ends_complete(tail):
                return kept
        return ids

    def _bytes_of(self, token: int) -> bytes:
        if token in self.added:
            content = self.added[token]
            special = self.tokenizer.added_tokens_decoder[token].special
            if not self._byte_level and not special:
                content = content.replace(METASPACE, " ")
            return content.encode()
        piece = self.tokenizer.convert_ids_to_tokens(token)
        if piece is None:
            raise InputError(f"{self.name}: the tokenizer has no token {token}")
        if self._byte_level:
            return bytes(_BYTES[character] for character in piece)
        if len(piece) == 6 and piece.startswith("<0x") and piece.endswith(">"):
            return bytes([int(piece[3:5], 16)])
        return piece.replace(METASPACE, " ").encode()

    def _has_byte_level_decoder(self) -> bool:
        decoder = part_of(self.tokenizer.backend_tokenizer.decoder)
        parts = (decoder or {}).get("decoders", [decoder])
        kinds = {part["type"] for part in parts if part}
        if "ByteLevel" in kinds:
            return True
        if "ByteFallback" in kinds:
            return False
        raise InputError(
            f"{self.name}: the bytes of its tokens are not known for the decoders "
            f"{sorted(kinds)} (known: ByteLevel, ByteFallback)"
        )


def leads(byte: int) -> bool:
    """Whether a byte starts a UTF-8 character (and does not continue one)."""
    return byte & 0xC0 != 0x80


def _ends_complete(data: bytes) -> bool:
    """Whether the last character of the data has all its bytes."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if leads(byte):
            width = 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back >= width
    return not data
