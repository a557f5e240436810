"""How much faster is continuous batching than generation in transformers?

One core, a random Llama of about 30 million parameters, 48 completions of 50 to 236
tokens, 16 at a time. "Static batches" are calls of `generate` with 16 prompts, which
wait for their longest row. "generate_batch" is the continuous batching of transformers.
All three generate the same number of tokens. Prints tokens per second and ratios.

Run: python tests/bench/bench_generation.py
"""

import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from bench_early_exit import random_model
from transformers import GenerationConfig

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.model.token_sampling import Sampling
from traces.continuous_batching import GenerationRequest, generate

COUNT, BATCH, SHORTEST, LONGEST = 48, 16, 50, 236
GREEDY = Sampling(temperature=0, top_p=1.0, seed=0)
Method = Callable[[Any, list[GenerationRequest]], dict[str, list[int]]]


def requests() -> list[GenerationRequest]:
    rng = random.Random(0)
    return [
        GenerationRequest(
            str(index),
            [rng.randrange(1, 8192) for _ in range(rng.randrange(30, 90))],
            rng.randrange(SHORTEST, LONGEST),
        )
        for index in range(COUNT)
    ]


def refilled_slots(hf: Any, wanted: list[GenerationRequest]) -> dict[str, list[int]]:
    results = generate(hf, wanted, GREEDY, set(), BATCH)
    return {done.trace: done.ids for done, _ in results if done is not None}


def static_batches(hf: Any, wanted: list[GenerationRequest]) -> dict[str, list[int]]:
    completions = {}
    for first in range(0, len(wanted), BATCH):
        batch = wanted[first : first + BATCH]
        width = max(len(request.prompt_ids) for request in batch)
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, request in enumerate(batch):
            ids[row, width - len(request.prompt_ids) :] = torch.tensor(
                request.prompt_ids
            )
            mask[row, width - len(request.prompt_ids) :] = 1
        longest = max(request.max_new_tokens for request in batch)
        output = hf.generate(
            ids, attention_mask=mask, do_sample=False, max_new_tokens=longest
        )
        for row, request in enumerate(batch):
            new = output[row, width:].tolist()
            completions[request.trace] = new[: request.max_new_tokens]
    return completions


def generate_batch(hf: Any, wanted: list[GenerationRequest]) -> dict[str, list[int]]:
    # Every request has a limit of its own, so that no token is wasted.
    config = GenerationConfig(do_sample=False, max_new_tokens=LONGEST, pad_token_id=0)
    manager = hf.init_continuous_batching(generation_config=config)
    manager.start()
    for request in wanted:
        manager.add_request(
            request.prompt_ids,
            request_id=request.trace,
            max_new_tokens=request.max_new_tokens,
        )
    completions: dict[str, list[int]] = {}
    while len(completions) < len(wanted):
        result = manager.get_result(timeout=1)
        if result is not None and result.is_finished():
            completions[result.request_id] = result.generated_tokens
    manager.stop(block=True)
    return completions


def main() -> None:
    torch.set_num_threads(1)
    hf, wanted = random_model(), requests()
    tokens = sum(request.max_new_tokens for request in wanted)
    methods: dict[
        str, Callable[[Any, list[GenerationRequest]], dict[str, list[int]]]
    ] = {
        "refilled slots": refilled_slots,
        "static batches": static_batches,
        "generate_batch": generate_batch,
    }
    speed, completions = {}, {}
    for name, method in methods.items():
        started = time.perf_counter()
        completions[name] = method(hf, wanted)
        speed[name] = tokens / (time.perf_counter() - started)
        reference = completions["refilled slots"]
        same = sum(completions[name][k] == ids for k, ids in reference.items())
        print(f"{name}: {speed[name]:.0f} tokens/s, {same} of {COUNT} rows equal")
    for name in list(methods)[1:]:
        print(f"refilled slots / {name}: {speed['refilled slots'] / speed[name]:.2f}")


if __name__ == "__main__":
    main()
