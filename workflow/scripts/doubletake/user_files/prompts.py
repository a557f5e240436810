"""The question in a prompt that a chat template wrote."""

import re

from doubletake.running.errors import InputError

USER_TURNS = (
    ("<｜User｜>", "<｜Assistant｜>"),
    ("<|User|>", "<|Assistant|>"),
    ("<|im_start|>user\n", "<|im_end|>"),
    ("<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
    ("<start_of_turn>user\n", "<end_of_turn>"),
    ("<|start|>user<|message|>", "<|end|>"),
    ("<|start_of_role|>user<|end_of_role|>", "<|end_of_text|>"),
    ("<|user|>", "<|end|>"),
    ("<|user|>", "<|assistant|>"),
    ("[INST]", "[/INST]"),
)
"""Where a user's turn begins and ends, in templates of: DeepSeek-R1 (and its ASCII
spelling); Qwen, SmolLM and others (ChatML); Llama 3; Gemma; gpt-oss; Granite; Phi and
GLM; Mistral."""
_CONTROL = re.compile(
    r"<[|｜][^<>|｜\s]{1,40}[|｜]>|\[/?INST\]|<(?:start|end)_of_turn>"
)


def question_of(prompt: str) -> str:
    """The user's turn of a prompt, or the whole prompt if no template wrote it.

    Raises:
        InputError: the prompt has several turns of the user, or the marks of a template
            that is not known.
    """
    mark = _CONTROL.search(prompt)
    if mark is None:
        return prompt
    for start, end in USER_TURNS:
        _, found, rest = prompt.partition(start)
        if not found or (end not in rest and _CONTROL.search(rest)):
            continue
        question, _, after = rest.partition(end)
        if start in after or start in question:
            raise InputError(
                "the prompt has several turns of the user; a study needs one question"
            )
        return question.strip()
    raise InputError(
        f"the prompt holds {mark.group()!r} of a chat template that is "
        "not known; name a column with the question alone (`columns`), or a file of "
        "`problems` in which it stands"
    )
