"""Prompts and markers, on a tiny tokenizer and on real ones."""

import json
from pathlib import Path

import pytest
from tiny_models import TEMPLATE, tokenizer_settings, write_tokenizer

from doubletake.running.errors import InputError
from doubletake.text.tokenizer import TraceTokenizer, load_tokenizer


def test_prompt_has_one_bos_and_opens_the_thought(tiny):
    ids = tiny.prompt_ids("How many pens?")
    assert ids.count(tiny.tokenizer.bos_token_id) == 1
    assert ids[0] == tiny.tokenizer.bos_token_id
    assert tiny.opening_left == ""


def templated(folder: Path, template: str, **changes) -> TraceTokenizer:
    write_tokenizer(folder, template)
    return load_tokenizer(tokenizer_settings(folder, **changes))


@pytest.mark.parametrize(
    "template",
    [
        TEMPLATE,
        TEMPLATE.replace("{{ bos_token }}", ""),
        TEMPLATE.replace("{{ bos_token }}", "").replace(
            "<｜User｜>", "{{ bos_token }}user"
        )
        + "{{ bos_token }}",  # SmolLM2's way
        TEMPLATE.replace("<think>\n", ""),
    ],
)
def test_the_prompt_is_what_the_template_gives(tmp_path, template):
    tokenizer = templated(tmp_path, template)
    chat = [{"role": "user", "content": "How many?"}]
    expected = tokenizer.tokenizer.apply_chat_template(
        chat, tokenize=True, add_generation_prompt=True, return_dict=False
    )
    assert tokenizer.prompt_ids("How many?") == expected


@pytest.mark.parametrize("between", ["", "\n", " "])
def test_template_with_two_bos_is_refused(tmp_path, between):
    tokenizer = templated(tmp_path, "{{ bos_token }}{{ '" + between + "' }}" + TEMPLATE)
    with pytest.raises(InputError, match="begins with two BOS"):
        tokenizer.prompt_ids("How many?")


def test_a_question_that_holds_a_control_token_is_refused(tiny):
    with pytest.raises(InputError, match="<｜User｜>"):
        tiny.prompt_ids("How <｜User｜> many?")


def test_a_template_that_leaves_the_question_out_is_refused(tmp_path):
    parts = TEMPLATE.replace("{{ message['content'] }}", "{{ message['parts'] }}")
    with pytest.raises(InputError, match="does not hold the question"):
        templated(tmp_path, parts).prompt_ids("How many?")


def test_added_tokens_that_are_text_may_stand_in_a_question(tmp_path):
    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer.json"
    parts = json.loads(path.read_text())
    token = parts["added_tokens"][0] | {"special": False}
    size = max(parts["model"]["vocab"].values()) + 1
    parts["added_tokens"] += [
        token | {"id": size + k, "content": text}
        for k, text in enumerate(["    ", "<b>"])
    ]
    path.write_text(json.dumps(parts))
    tokenizer = load_tokenizer(tokenizer_settings(tmp_path))
    ids = tokenizer.prompt_ids("Run\n    <b>x</b>?")
    assert {size, size + 1} <= set(ids)
    assert {size, size + 1} <= set(tokenizer.encode_plain("    <b>"))


CLOSED = TEMPLATE.replace("<think>\n", "<think>\n\n</think>\n\n")
ELSE_EOS = TEMPLATE.replace("{% endif %}", "{% else %}{{ eos_token }}{% endif %}")


@pytest.mark.parametrize(
    ("template", "changes", "left"),
    [
        (TEMPLATE, {}, ""),
        (TEMPLATE.replace("<think>\n", "<think>"), {}, "\n"),
        (TEMPLATE.replace("<think>\n", ""), {}, "<think>\n"),
        (TEMPLATE.replace("<think>\n", "<think>\nOkay,"), {}, ""),
        (TEMPLATE.replace("<think>\n", ""), {"open_thought": True}, ""),
        (TEMPLATE, {"open_thought": True}, ""),
        (TEMPLATE.replace("<think>\n", ""), {"start_of_thought": ""}, ""),
        ("Use <think> and </think>. " + TEMPLATE, {}, ""),
        (ELSE_EOS, {}, ""),
        (ELSE_EOS.replace("<think>\n", "<think>\nOkay, "), {}, ""),
    ],
)
def test_the_prompt_leaves_a_part_to_the_completion(tmp_path, template, changes, left):
    tokenizer = templated(tmp_path, template, **changes)
    assert tokenizer.opening_left == left
    prompt = tokenizer.decode(tokenizer.prompt_ids("How many?"))[0]
    assert prompt.count("<think>") == template.count("<think>") + (
        changes == {"open_thought": True} and "<think>" not in template
    )


def test_a_prompt_that_closes_the_thought_is_refused(tmp_path):
    with pytest.raises(InputError, match="already closes the thought"):
        _ = templated(tmp_path, CLOSED).opening_left
    closed = "<think>\n\n</think>\n\nAnswer: "
    with pytest.raises(InputError, match="already closes the thought"):
        _ = templated(tmp_path, ELSE_EOS.replace("<think>\n", closed)).opening_left


DATED = "{{ strftime_now('%d %b %Y') }}" + TEMPLATE


def test_a_pinned_date_is_what_the_template_writes(tmp_path):
    tokenizer = templated(tmp_path, DATED, date="2024-07-26")
    text, _ = tokenizer.decode(tokenizer.prompt_ids("How many?"))
    assert text.startswith("26 Jul 2024")
    assert tokenizer.date_note == ""


def test_a_date_that_is_not_pinned_is_told(tmp_path):
    assert "`date` pins" in templated(tmp_path, DATED).date_note


def test_a_template_without_a_date_tells_nothing(tiny):
    assert tiny.date_note == ""


def test_a_date_in_a_form_that_is_not_known_cannot_be_pinned(tmp_path):
    for use in (
        "{% set form = '%Y' %}{{ strftime_now(form) }}",
        "{{ strftime_now('%d' + ' %b') }}",
        "{% set now = strftime_now %}{{ now('%d %b') }}",
    ):
        template = use + TEMPLATE
        assert "`date` pins" in templated(tmp_path, template).date_note
        with pytest.raises(InputError, match="date cannot be pinned"):
            templated(tmp_path, template, date="2024-07-26").prompt_ids("How many?")


@pytest.mark.parametrize("form", ["%d %b %Y", "%d %B", "%A", "%m", "%H:%M", "%S"])
def test_a_date_of_any_form_is_told(tmp_path, form):
    call = f"{{{{ strftime_now('{form}') }}}}"
    asked = f"{{% if strftime_now is defined %}}{call}{{% endif %}}"
    assert "`date` pins" in templated(tmp_path, asked + TEMPLATE).date_note


def test_several_templates_without_a_default_are_named(tmp_path):
    named = [{"name": name, "template": TEMPLATE} for name in ("a", "b")]
    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"chat_template": named}))
    with pytest.raises(InputError, match="several chat templates"):
        load_tokenizer(tokenizer_settings(tmp_path))


def test_a_stop_token_in_the_end_marker_is_refused(tiny_model):
    marker = "<｜end▁of▁sentence｜>answer"
    tokenizer = load_tokenizer(
        tokenizer_settings(tiny_model, start_of_thought="", end_of_thought=marker)
    )
    with pytest.raises(InputError, match="which ends a completion"):
        tokenizer.stops_with(set())


def test_markers_in_a_users_turn_open_and_close_nothing(tmp_path):
    plain = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}"
    turn = "{% if add_generation_prompt %}<｜Assistant｜>{% endif %}"
    for text in (" Begin with <think>.", " Use <think> </think>."):
        tokenizer = templated(tmp_path, plain + text + turn)
        assert tokenizer.opening_left == "<think>\n"
        with pytest.raises(InputError, match="not known whether the"):
            _ = templated(tmp_path, plain + text).opening_left
    assert templated(tmp_path, plain + "<think>").opening_left == "\n"
    with pytest.raises(InputError, match="already closes"):
        _ = templated(tmp_path, plain + "<think>\n\n</think>\n\n").opening_left


def test_markers_may_be_texts_of_several_tokens(tmp_path):
    tokenizer = templated(
        tmp_path,
        TEMPLATE.replace("<think>\n", ""),
        start_of_thought="<reason>",
        end_of_thought="</reason>",
    )
    assert len(tokenizer.encode("</reason>")) > 1
    text = "<reason>\nIt is 8.\n</reason>\n\n8"
    edges = tokenizer.edges(text)
    assert text[edges.start : edges.stop] == "It is 8."
    assert text[edges.answer :] == "\n\n8"


def test_missing_template_is_refused(tmp_path):
    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    config = json.loads(path.read_text())
    del config["chat_template"]
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match="no chat template"):
        load_tokenizer(tokenizer_settings(tmp_path))


def test_a_marker_that_the_tokenizer_cannot_write_is_refused(tmp_path):
    write_tokenizer(tmp_path)
    path = tmp_path / "tokenizer.json"
    parts = json.loads(path.read_text())
    parts["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(parts))
    with pytest.raises(InputError, match=r"cannot write the marker '\[/?THINK\]'"):
        load_tokenizer(tokenizer_settings(tmp_path, end_of_thought="[/THINK]"))


def test_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="nowhere"):
        load_tokenizer(tokenizer_settings(tmp_path / "nowhere"))


def test_real_templates_give_one_bos(real):
    ids = real.prompt_ids("What is 3 + 4?")
    assert ids.count(real.tokenizer.bos_token_id) == 1
    assert real.decode(real.encode("\n</think>\n\n"))[0] == "\n</think>\n\n"
    assert len(real.encode("</think>")) == 1
    assert set(real.encode("</think>")) <= set(real.encode("\n</think>\n\n"))
