"""How much faster are packed exits, and several traces per batch?

One core, a random Llama of 33.6 M parameters, an answer prompt of 12 tokens and answers
of 8 tokens. First, a trace of 800 tokens with 10 and with 40 exits, against one
`generate` call per exit. Then 64 traces of mixed length, together against one by one.
On one core, batches save the cost of small passes only: the longer the traces, the more
of the time is the reading of prefixes, which one trace alone does as fast.
All must give the same tokens. Prints medians of CPU seconds and of their ratios; what
is compared runs alternately, so that the load of the machine slows both.

Run: python tests/bench/bench_early_exit.py
"""

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from random_llama import random_decoder

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.decoder import Decoder

TRACE, PROMPT, ANSWER, ROUNDS = 800, 12, 8, 3
MEDIAN, SPREAD, TRACES, EXIT_EVERY = 100, 0.8, 64, 40
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


def mixed_prefixes() -> list[Prefix]:
    """Lengths are quantiles of a log-normal distribution: median 100, 90% below 280."""
    normal = statistics.NormalDist(0, SPREAD)
    quantiles = [normal.inv_cdf((k + 0.5) / TRACES) for k in range(TRACES)]
    lengths = [round(MEDIAN * torch.tensor(q).exp().item()) for q in quantiles]
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


def timed(work: Callable[[], Answers]) -> tuple[float, Answers]:
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def compare(
    title: str, slow: Callable[[], Answers], fast: Callable[[], Answers], rounds: int
) -> None:
    """Print the medians of both, and the median of the ratios."""
    seconds: list[tuple[float, float]] = []
    for _ in range(rounds):
        before, expected = timed(slow)
        after, answers = timed(fast)
        assert answers == expected, f"{title}: other tokens"
        seconds.append((before, after))
    one, other = (statistics.median(times) for times in zip(*seconds, strict=True))
    ratio = statistics.median(before / after for before, after in seconds)
    print(f"{title}: {one:.2f} s against {other:.2f} s, ratio {ratio:.2f}", flush=True)


def main() -> None:
    torch.set_num_threads(1)
    decoder = random_decoder()
    for exits in (10, 40):
        prefix = prefix_of("trace", TRACE, exits)
        compare(
            f"{exits} exits of a {TRACE}-token trace, generate per exit against packed",
            lambda prefix=prefix: one_generate_per_exit(decoder, prefix),
            lambda prefix=prefix: together(decoder, [prefix]),
            ROUNDS,
        )
    prefixes = mixed_prefixes()
    tokens = sum(len(prefix.ids) for prefix in prefixes)
    exits = sum(len(prefix.branches) for prefix in prefixes)
    compare(
        f"{TRACES} traces of {tokens} tokens with {exits} exits, one by one against "
        f"batches of {MEMORY} GiB",
        lambda: one_by_one(decoder, prefixes),
        lambda: together(decoder, prefixes),
        ROUNDS,
    )


if __name__ == "__main__":
    main()
