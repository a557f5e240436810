"""What do interventions cost while completions are decoded?

One core, 64 completions side by side, each with one of eight vectors, of eight layers,
added at every position. They are compared with the same completions without any
intervention, on the same path (the baseline of every experiment) and on the plain path,
and with a call of `generate` per vector. Nothing ends a completion before its limit, so
all ways decode as many tokens. A ratio of 0.91 means 1.1 times the cost.

Run: python tests/bench/bench_interventions.py [--rounds N]
"""

import argparse
import random
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other
from random_llama import random_decoder

from doubletake.model.continuous_batching import generate
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import Intervention, Part, Positions, model_name
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.study.settings import ModelSettings

POCKET = Path(__file__).parents[2] / "resources/pocket"
COUNT, VECTORS = 64, 8
STRENGTH = 1e-6
"""So small that hardly a token changes: all ways then choose from the same logits."""
SAMPLING = Sampling(0.6, 0.95, 0)
GOAL = 1 / 1.1


def requests(decoder: Decoder, tokens: int) -> list[GenerationRequest]:
    """Prompts of 60 random tokens, eight of each, and completions of equal length."""
    rng = random.Random(0)
    vocabulary = decoder.unembed.weight.shape[0]
    prompts = [
        [rng.randrange(1, vocabulary) for _ in range(60)]
        for _ in range(COUNT // VECTORS)
    ]
    return [
        GenerationRequest(
            str(row // VECTORS),
            prompts[row // VECTORS],
            tokens,
            name=str(row % VECTORS),
            stepwise=True,
        )
        for row in range(COUNT)
    ]


def adding(decoder: Decoder, number: int) -> Intervention:
    """A vector that is added to the residual stream, at another layer for each."""
    generator = torch.Generator().manual_seed(number)
    step = torch.randn(decoder.d_model, generator=generator)
    return _intervention(decoder, "resid", number, added=STRENGTH * step)


def removing(decoder: Decoder, number: int) -> Intervention:
    """A direction that is projected out of the residual stream."""
    generator = torch.Generator().manual_seed(number)
    unit = torch.randn(decoder.d_model, generator=generator)
    unit = unit / unit.norm()
    return _intervention(decoder, "resid", number, removed=unit, share=STRENGTH)


def ablating(decoder: Decoder, number: int) -> Intervention:
    """Units whose outputs are replaced by a constant."""
    width = decoder.mlp_down(0).in_features
    factors = torch.ones(width)
    factors[number::20] = 1 - STRENGTH
    added = 0.01 * (1 - factors)
    return _intervention(decoder, "units", number, factors=factors, added=added)


def _intervention(
    decoder: Decoder, part: Part, number: int, **what: Any
) -> Intervention:
    layer = number % decoder.n_layers
    model, every = model_name(decoder.settings), Positions("every")
    return Intervention(str(number), layer, part, every, model, **what)


def decode(decoder: Decoder, wanted: list[GenerationRequest]) -> None:
    """Decode all requests side by side."""
    for _ in generate(decoder.hf, wanted, SAMPLING, set(), COUNT, decoder=decoder):
        pass


def apart(decoder: Decoder, wanted: list[GenerationRequest]) -> None:
    """Decode the requests of each vector in a call of its own."""
    for number in range(VECTORS):
        decode(decoder, [one for one in wanted if one.name == str(number)])


def compare(table: Comparison, name: str, decoder: Decoder, rounds: int) -> None:
    """The rows of one model."""
    none = requests(decoder, 80)
    plain = [replace(one, stepwise=False) for one in none]
    for what, make in (
        ("added", adding),
        ("projected out", removing),
        ("units ablated", ablating),
    ):
        changed = [
            replace(one, interventions=(make(decoder, int(one.name)),)) for one in none
        ]
        others = {
            "no intervention, same path": Other(partial(decode, decoder, none), GOAL)
        }
        if make is adding:
            others["no intervention, plain path"] = Other(
                partial(decode, decoder, plain)
            )
            others["a call per vector"] = Other(partial(apart, decoder, changed))
        ours = partial(decode, decoder, changed)
        table.add(f"{name}, {COUNT} rows, {what}", ours, others, rounds)


def pocket() -> Decoder:
    """The pocket model."""
    return load_decoder(
        ModelSettings(str(POCKET), None, "float32", "cpu", "</think>", {})
    )


def main(rounds: int) -> None:
    """Compare on both models."""
    table = Comparison("interventions")
    compare(table, "pocket model", pocket(), rounds)
    compare(table, "random Llama", random_decoder(), rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    main(**vars(parser.parse_args()))
