"""The user's question in prompts that published chat templates wrote."""

import pytest

from doubletake.running.errors import InputError
from doubletake.user_files.prompts import question_of

Q = "How many are 5 < 7 and [3]?\nSay it."


@pytest.mark.parametrize(
    "prompt",
    [
        Q,
        f"<｜begin▁of▁sentence｜><｜User｜>{Q}<｜Assistant｜><think>\n",
        f"<|User|>{Q}",
        f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{Q}<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n",
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
        f"{Q}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        f"<bos><start_of_turn>user\n{Q}<end_of_turn>\n<start_of_turn>model\n",
        f"<s>[INST] {Q} [/INST]",
        f"<|user|>{Q}<|end|><|assistant|>",
        f"[gMASK]<sop><|user|>\n{Q}<|assistant|>",
        f"<|start|>user<|message|>{Q}<|end|><|start|>assistant",
    ],
)
def test_the_question_is_found(prompt):
    assert question_of(prompt) == Q


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("<｜User｜>5?<｜Assistant｜>5<｜User｜>6?<｜Assistant｜>", "several turns"),
        ("<|im_start|>user\na<|im_end|>\n<|im_start|>user\nb<|im_end|>", "several"),
        ("<|human|>5?<|bot|>", r"'<\|human\|>' of a chat template that is not known"),
        ("<|im_start|>system\na<|im_end|>", "not known"),
    ],
)
def test_a_prompt_of_another_kind_is_refused(prompt, message):
    with pytest.raises(InputError, match=message):
        question_of(prompt)
