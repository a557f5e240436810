"""How much faster are packed exits, and several traces per batch?

One core, a random Llama of 33.6 M parameters, an answer prompt of 12 tokens and answers
of 8 tokens. First, a trace of 800 tokens with 10 and with 40 exits, against one
`generate` call per exit. Then 64 traces of mixed length, together against one by one.
On one core, batches save the cost of small passes only: the longer the traces, the more
of the time is the reading of prefixes, which one trace alone does as fast.
All must give the same tokens.

Run: python tests/bench/bench_early_exit.py
"""

import argparse
import statistics
import sys
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other
from random_llama import random_decoder

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.decoder import Decoder

TRACE, PROMPT, ANSWER = 800, 12, 8  # tokens
GOALS = {10: 4.5, 40: 8.0}
"""Smallest ratio that is wanted, by number of exits."""
MEDIANS = {100: 1.5, 250: None}
"""Smallest ratio that is wanted, by median length of the traces."""
SPREAD, TRACES, EXIT_EVERY = 0.8, 64, 40
MEMORY = 1.0  # GiB

Answers = list[list[int]]


def random_ids(count: int) -> list[int]:
    return torch.randint(1, 8192, (count,)).tolist()


def prefix_of(name: str, length: int, exits: int) -> Prefix:
    suffix = tuple(random_ids(PROMPT))
    cuts = [length * (index + 1) // exits for index in range(exits)]
    return Prefix(
        name, random_ids(length), [Branch(cut, suffix, ANSWER) for cut in cuts]
    )


def mixed_prefixes(median: int) -> list[Prefix]:
    """Lengths are quantiles of a log-normal distribution; 90% are below 2.8 medians."""
    normal = statistics.NormalDist(0, SPREAD)
    quantiles = [normal.inv_cdf((k + 0.5) / TRACES) for k in range(TRACES)]
    lengths = [round(median * torch.tensor(q).exp().item()) for q in quantiles]
    order = torch.randperm(TRACES).tolist()
    return [prefix_of(str(k), lengths[k], 1 + lengths[k] // EXIT_EVERY) for k in order]


def one_generate_per_exit(decoder: Decoder, prefix: Prefix) -> Answers:
    answers = []
    for branch in prefix.branches:
        ids = torch.tensor([[*prefix.ids[: branch.cut], *branch.suffix]])
        out = decoder.hf.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=ANSWER,
            pad_token_id=0,
        )
        answers.append(out[0, ids.shape[1] :].tolist())
    return answers


def together(decoder: Decoder, prefixes: list[Prefix]) -> Answers:
    said = dict(continue_branches(decoder, prefixes, MEMORY))
    return [one.tokens for number in range(len(prefixes)) for one in said[number]]


def one_by_one(decoder: Decoder, prefixes: list[Prefix]) -> Answers:
    return [one for prefix in prefixes for one in together(decoder, [prefix])]


def same(title: str, expected: Answers, found: Answers) -> None:
    """End with an error if the tokens differ."""
    if found != expected:
        sys.exit(f"{title}: other tokens")


def main(rounds: int) -> None:
    """Check the tokens, then compare the times."""
    torch.set_num_threads(1)
    decoder = random_decoder()
    table = Comparison("early exit")
    for exits, goal in GOALS.items():
        prefix = prefix_of("trace", TRACE, exits)
        title = f"{exits} exits of a trace of {TRACE} tokens"
        slow = partial(one_generate_per_exit, decoder, prefix)
        fast = partial(together, decoder, [prefix])
        same(title, slow(), fast())
        peers = {"one `generate` per exit": Other(slow, goal)}
        table.add(title, fast, peers, rounds, warm=False)
    for median, goal in MEDIANS.items():
        prefixes = mixed_prefixes(median)
        tokens = sum(len(prefix.ids) for prefix in prefixes)
        exits = sum(len(prefix.branches) for prefix in prefixes)
        title = f"{TRACES} traces, {tokens} tokens, median {median}, {exits} exits"
        slow = partial(one_by_one, decoder, prefixes)
        fast = partial(together, decoder, prefixes)
        same(title, slow(), fast())
        peers = {"one trace after the other": Other(slow, goal)}
        table.add(title, fast, peers, rounds, warm=False)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    main(**vars(parser.parse_args()))
