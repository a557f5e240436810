"""Prompts, markers and offsets, on a tiny tokenizer and on the real ones."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import TEMPLATE, write_tokenizer

from doubletake.errors import InputError
from doubletake.studies import ModelSettings
from doubletake.tokens import TraceTokenizer, load_tokenizer

REAL = ["DeepSeek-R1-Distill-Llama-8B", "DeepSeek-R1-Distill-Qwen"]


def settings(folder: Path, **changes) -> ModelSettings:
    values = {
        "source": str(folder),
        "revision": None,
        "dtype": "float32",
        "device": "cpu",
        "end_of_thought": "</think>",
        "template_arguments": {},
    }
    return ModelSettings(**(values | changes))


@pytest.fixture(scope="module")
def tiny(tiny_model) -> TraceTokenizer:
    return load_tokenizer(settings(tiny_model))


@pytest.fixture(scope="module", params=REAL)
def real(request) -> TraceTokenizer:
    folder = os.environ.get("DOUBLETAKE_TOKENIZERS")
    if not folder:
        pytest.skip("DOUBLETAKE_TOKENIZERS names no folder of real tokenizers")
    return load_tokenizer(settings(Path(folder) / request.param))


def brute_force_offsets(tokenizer: TraceTokenizer, ids: list[int]) -> list[int]:
    """Characters finished before each token, counted on ever longer prefixes."""
    starts = []
    for count in range(len(ids)):
        before = b"".join(tokenizer.piece(index) for index in ids[:count])
        whole = before.decode("utf-8", errors="ignore")
        starts.append(len(whole))
    return starts


def test_prompt_has_one_bos_and_opens_the_thought(tiny):
    ids = tiny.prompt_ids("How many pens?")
    assert ids.count(tiny.tokenizer.bos_token_id) == 1
    assert ids[0] == tiny.tokenizer.bos_token_id
    assert tiny.prompt_opens_thought


def test_template_without_bos_gets_one(tmp_path):
    template = TEMPLATE.replace("{{ bos_token }}", "")
    write_tokenizer(tmp_path, template.replace("<think>\n", ""))
    tokenizer = load_tokenizer(settings(tmp_path))
    ids = tokenizer.prompt_ids("How many?")
    assert ids.count(tokenizer.tokenizer.bos_token_id) == 1
    assert not tokenizer.prompt_opens_thought


def test_template_with_two_bos_is_refused(tmp_path):
    write_tokenizer(tmp_path, "{{ bos_token }}" + TEMPLATE)
    with pytest.raises(InputError, match="one BOS"):
        load_tokenizer(settings(tmp_path)).prompt_ids("How many?")


def test_missing_template_is_refused(tmp_path):
    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["chat_template"]
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match="no chat template"):
        load_tokenizer(settings(tmp_path))


def test_missing_marker_is_refused(tiny_model):
    with pytest.raises(InputError, match="</reason>"):
        load_tokenizer(settings(tiny_model, end_of_thought="</reason>"))


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        load_tokenizer(settings(tmp_path / "nowhere"))


@given(text=st.text())
def test_any_text_comes_back(tiny, text):
    ids = tiny.encode_plain(text)
    decoded, offsets = tiny.decode(ids)
    assert decoded == text
    assert offsets == brute_force_offsets(tiny, ids)


def test_special_tokens_in_foreign_text_stay_text(tiny):
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


def test_real_templates_give_one_bos(real):
    ids = real.prompt_ids("What is 3 + 4?")
    assert ids.count(real.tokenizer.bos_token_id) == 1
    assert real.decode(real.encode("\n</think>\n\n"))[0] == "\n</think>\n\n"
    assert real.end_of_thought in real.encode("\n</think>\n\n")
