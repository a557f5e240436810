"""How much faster are packed exits than one `generate` call per exit?

One core, a random Llama of about 30 million parameters, a trace of 800 tokens with ten
exits, an answer prompt of 12 tokens and answers of 8 tokens. Both must give the same
tokens. Prints medians and their ratio.

Run: python tests/bench/bench_early_exit.py
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from early_exit.shared_prefill import Branch, continue_branches

TRACE, EXITS, PROMPT, ANSWER, ROUNDS = 800, 10, 12, 8, 3


def random_model() -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=8192,
        hidden_size=512,
        intermediate_size=1408,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=4,
        tie_word_embeddings=True,
        initializer_range=0.1,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=0,
    )
    return LlamaForCausalLM(config).eval().requires_grad_(False)


def naive(hf: Any, prefix: list[int], branches: list[Branch]) -> list[list[int]]:
    answers = []
    for branch in branches:
        ids = torch.tensor([[*prefix[: branch.cut], *branch.suffix]])
        out = hf.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=ANSWER,
        )
        answers.append(out[0, ids.shape[1] :].tolist())
    return answers


def packed(hf: Any, prefix: list[int], branches: list[Branch]) -> list[list[int]]:
    continuations = continue_branches(
        hf, prefix, branches, max_tokens=ANSWER, stop=lambda _, tokens: False
    )
    return [continuation.tokens for continuation in continuations]


def timed(work: Callable[[], list[list[int]]]) -> tuple[float, list[list[int]]]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def main() -> None:
    torch.set_num_threads(1)
    hf = random_model()
    prefix = torch.randint(1, 8192, (TRACE,)).tolist()
    suffix = tuple(torch.randint(1, 8192, (PROMPT,)).tolist())
    cuts = [TRACE * (index + 1) // EXITS for index in range(EXITS)]
    branches = [Branch(cut, suffix) for cut in cuts]
    seconds: dict[str, list[float]] = {"naive": [], "packed": []}
    for _ in range(ROUNDS):  # interleaved, so that the load of the machine slows both
        slow, expected = timed(lambda: naive(hf, prefix, branches))
        fast, answers = timed(lambda: packed(hf, prefix, branches))
        assert answers == expected, "packed exits differ from generate"
        seconds["naive"].append(slow)
        seconds["packed"].append(fast)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    size = sum(weight.numel() for weight in hf.parameters()) / 1e6
    print(f"model: {size:.1f} M parameters; {EXITS} exits of a {TRACE}-token trace")
    print(
        f"generate per exit {medians['naive']:.2f} s, packed {medians['packed']:.2f} s"
    )
    print(f"ratio {medians['naive'] / medians['packed']:.2f}")


if __name__ == "__main__":
    main()
