"""How much faster is the generation loop of a study than its peers?

One core, a random Llama of 31.6 M parameters, 64 completions of 50 to 236 tokens, the
most likely token each time. All ways generate as many tokens for each prompt:

    one by one       a call of `generate` per prompt; only every fourth prompt is run
    static batches   calls of `generate` with as many prompts as we have slots, which
                     wait for their longest row
    generate_batch   the continuous batching of transformers
    vLLM             its CPU build, in a process of its own (`vllm_peer.py`)

The printed shares of equal tokens count tokens before the first difference; sums in
another order change last bits, and a random model has near-ties.

Run: python tests/bench/bench_generation.py
"""

import argparse
import random
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from transformers import GenerationConfig, PreTrainedModel
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other
from random_llama import random_decoder
from vllm_peer import VllmPeer

from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.token_sampling import GREEDY

COUNT, SHORTEST, LONGEST = 64, 50, 236
SLOTS = (16, 64)
EVERY = 4  # one by one
Completions = dict[str, list[int]]


def requests() -> list[GenerationRequest]:
    """Prompts of 30 to 89 random tokens, each with its own limit."""
    rng = random.Random(0)
    return [
        GenerationRequest(
            str(index),
            [rng.randrange(1, 8192) for _ in range(rng.randrange(30, 90))],
            rng.randrange(SHORTEST, LONGEST + 1),
        )
        for index in range(COUNT)
    ]


def own_loop(
    hf: PreTrainedModel, wanted: list[GenerationRequest], slots: int
) -> Completions:
    """The loop of the workflow."""
    results = generate(hf, wanted, GREEDY, set(), slots)
    return {done.trace: done.ids for done, _ in results if done is not None}


def static_batches(
    hf: PreTrainedModel, wanted: list[GenerationRequest], size: int
) -> Completions:
    """Calls of `generate` with `size` prompts each."""
    completions = {}
    for first in range(0, len(wanted), size):
        batch = wanted[first : first + size]
        width = max(len(request.prompt_ids) for request in batch)
        ids = torch.zeros((len(batch), width), dtype=torch.long)
        mask = torch.zeros_like(ids)
        for row, request in enumerate(batch):
            begin = width - len(request.prompt_ids)
            ids[row, begin:] = torch.tensor(request.prompt_ids)
            mask[row, begin:] = 1
        longest = max(request.max_new_tokens for request in batch)
        output = hf.generate(  # type: ignore[operator]
            ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=longest,
            pad_token_id=0,
        )
        for row, request in enumerate(batch):
            new = output[row, width:].tolist()
            completions[request.trace] = new[: request.max_new_tokens]
    return completions


def generate_batch(hf: PreTrainedModel, wanted: list[GenerationRequest]) -> Completions:
    """Continuous batching of transformers; every request has its own limit."""
    config = GenerationConfig(do_sample=False, max_new_tokens=LONGEST, pad_token_id=0)
    manager = hf.init_continuous_batching(generation_config=config)  # type: ignore[operator]
    manager.start()
    for request in wanted:
        manager.add_request(
            request.prompt_ids,
            request_id=request.trace,
            max_new_tokens=request.max_new_tokens,
        )
    completions: Completions = {}
    while len(completions) < len(wanted):
        result = manager.get_result(timeout=1)
        if result is not None and result.is_finished():
            completions[result.request_id] = result.generated_tokens
    manager.stop(block=True)
    return completions


def equal_share(found: Completions, wanted: Completions) -> float:
    """Share of tokens before the first difference of each completion."""
    equal = 0
    for trace, ids in found.items():
        pairs = zip(ids, wanted[trace], strict=True)
        equal += next((k for k, (a, b) in enumerate(pairs) if a != b), len(ids))
    return equal / sum(map(len, found.values()))


def vllm_peer(hf: PreTrainedModel, wanted: list[GenerationRequest]) -> VllmPeer | None:
    """A running vLLM, or None and a printed reason."""
    prompts = {request.trace: request.prompt_ids for request in wanted}
    limits = {request.trace: request.max_new_tokens for request in wanted}
    try:
        peer = VllmPeer(hf, prompts, limits)
    except (OSError, RuntimeError) as error:
        print(f"vLLM is not compared: {error}")
        return None
    print(f"vLLM {peer.version}")
    return peer


def check(ways: dict[str, Callable[[], Completions]], ours: Completions) -> None:
    """Print how many tokens each way shares with ours."""
    for name, way in ways.items():
        share = equal_share(way(), ours)
        print(f"{name}: {share:.1%} of the tokens are equal to ours", flush=True)


def main(rounds: int) -> None:
    """Check the tokens, then compare the times."""
    hf_logging.set_verbosity_error()
    torch.set_num_threads(1)
    hf, wanted = random_decoder().hf, requests()
    single, (few, many) = wanted[::EVERY], SLOTS
    tokens = [sum(r.max_new_tokens for r in part) for part in (single, wanted)]
    one_by_one = partial(static_batches, hf, single, 1)
    library = partial(generate_batch, hf, wanted)
    vllm = vllm_peer(hf, wanted)
    ways = {"one by one": one_by_one, "generate_batch": library}
    if vllm is not None:
        ways["vLLM"] = lambda: vllm.run()[1]
    check(ways, own_loop(hf, wanted, many))
    table = Comparison("generation")
    size = f"{COUNT} completions, {tokens[1]} tokens"
    static = {slots: partial(static_batches, hf, wanted, slots) for slots in SLOTS}
    others = {f"static batches of {few}": Other(static[few], goal=1.8)}
    ours = partial(own_loop, hf, wanted, few)
    table.add(f"{size}, {few} slots", ours, others, rounds, warm=False)
    others = {
        f"static batches of {many}": Other(static[many], goal=1.8),
        "`generate_batch`": Other(library, goal=2.1),
        "`generate`, one by one": Other(one_by_one, 5, share=tokens[0] / tokens[1]),
    }
    if vllm is not None:
        name = f"vLLM {vllm.version}, {many} sequences"
        others[name] = Other(lambda: vllm.run()[0], own_clock=True)
    ours = partial(own_loop, hf, wanted, many)
    table.add(f"{size}, {many} slots", ours, others, rounds, warm=False)
    if vllm is not None:
        vllm.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    main(**vars(parser.parse_args()))
