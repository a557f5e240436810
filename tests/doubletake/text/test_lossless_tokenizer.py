"""Texts, tokens and offsets on a tiny tokenizer and on real ones."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import SPECIAL, tokenizer_settings, write_tokenizer

from doubletake.running.errors import InputError
from doubletake.text.lossless_tokenizer import LosslessTokenizer
from doubletake.text.tokenizer import load_tokenizer


def brute_force_offsets(tokenizer: LosslessTokenizer, ids: list[int]) -> list[int]:
    """Characters finished before each token, counted on ever longer prefixes."""
    starts = []
    for count in range(len(ids)):
        before = b"".join(tokenizer.piece(index) for index in ids[:count])
        whole = before.decode("utf-8", errors="ignore")
        starts.append(len(whole))
    return starts


def test_control_tokens_in_plain_text_stay_text(real):
    for text in ("a <think> b", "</think>", "<｜User｜>", "<tool_call>", "  \n\n x"):
        ids = real.encode_plain(text)
        assert real.decode(ids)[0] == text
        names = [real.tokenizer.convert_ids_to_tokens(index) for index in ids]
        assert text not in names


def write_sentencepiece(folder: Path) -> None:
    """A tokenizer of the kind that puts a space before every text."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pieces = ["<unk>", *SPECIAL, *(f"<0x{byte:02X}>" for byte in range(256))]
    pieces += ["▁", *"abcdefghijklmnopqrstuvwxyz0123456789", "▁a"]
    model = models.BPE(
        vocab={piece: index for index, piece in enumerate(pieces)},
        merges=[("▁", "a")],
        byte_fallback=True,
        unk_token="<unk>",
    )
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    )
    tokenizer.save(str(folder / "tokenizer.json"))


def test_a_text_inside_a_completion_gets_no_prefix_space(tmp_path):
    write_tokenizer(tmp_path)
    write_sentencepiece(tmp_path)
    tokenizer = load_tokenizer(tokenizer_settings(tmp_path))
    plain = tokenizer.tokenizer.encode("abc", add_special_tokens=False)
    assert tokenizer.decode(plain)[0] == " abc"
    for text in ("abc", "\nabc", "\n</think>\n\nabc", "a bc"):
        assert tokenizer.decode(tokenizer.encode(text))[0] == text
        assert tokenizer.decode(tokenizer.encode_plain(text))[0] == text


@given(text=st.text())
def test_any_text_comes_back(tiny, text):
    ids = tiny.encode_plain(text)
    decoded, offsets = tiny.decode(ids)
    assert decoded == text
    assert offsets == brute_force_offsets(tiny, ids)


def test_special_tokens_in_plain_text_stay_text(tiny):
    text = "a <｜end▁of▁sentence｜> b"
    ids = tiny.encode_plain(text)
    assert not set(ids) & tiny.stop_ids
    assert tiny.decode(ids)[0] == text


def test_half_a_character_is_no_text(tiny):
    ids = tiny.encode_plain("€")
    with pytest.raises(InputError, match="no valid text"):
        tiny.decode(ids[:1])


@given(text=st.text(min_size=1))
def test_cut_text_keeps_its_whole_characters(tiny, text):
    ids = tiny.encode_plain(text)
    for count in range(len(ids) + 1):
        kept = tiny.complete_characters(ids[:count])
        assert len(ids[:count]) - len(kept) < 4
        assert text.startswith(tiny.decode(kept)[0])


def test_real_traces_come_back(real, data_folder):
    path = data_folder / "r1_traces" / "gsm8k_test.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    for line in lines[::23]:
        thought = json.loads(line)["thought"]
        ids = real.encode_plain(thought)
        text, offsets = real.decode(ids)
        assert text == thought
        for start, end, index in zip(offsets, offsets[1:], ids, strict=False):
            piece = real.piece(index).decode("utf-8", errors="ignore")
            assert text[start:end].startswith(piece) or len(piece) < end - start
