"""The text of a completion that is still being written, token by token."""

from codecs import getincrementaldecoder

from doubletake.running.errors import InputError
from doubletake.text.lossless_tokenizer import LosslessTokenizer, leads

UNKNOWN = "\ufffd".encode()  # for ids beyond the tokenizer, which padded models have


class RunningText:
    """Tokens, text and offsets, as `LosslessTokenizer.decode` gives them at the end.

    A character counts once all its bytes are there. Bytes that are no text are shown as
    U+FFFD; offsets after them may be wrong.
    """

    def __init__(self, tokenizer: LosslessTokenizer) -> None:
        """Start before the first token."""
        self.tokenizer = tokenizer
        self.ids: list[int] = []
        self.text = ""
        self.offsets: list[int] = []
        """Per token the character at which it starts."""
        self._decoder = getincrementaldecoder("utf-8")("replace")
        self._characters = 0  # begun

    def add(self, token: int) -> None:
        """Add a token."""
        try:
            piece = self.tokenizer.piece(token)
        except InputError:
            piece = UNKNOWN
        inside = bool(piece) and not leads(piece[0])
        self.ids.append(token)
        self.offsets.append(self._characters - inside)
        self._characters += sum(map(leads, piece))
        self.text += self._decoder.decode(piece)
