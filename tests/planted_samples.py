"""Completions whose events are known: planted thoughts, as if a model had made them."""

import random
from functools import cache

import torch
from transformers import LlamaConfig, LlamaForCausalLM
from transformers import PreTrainedTokenizerFast as Tokenizer

from pocket.planted_events import Thought
from pocket.problems import Problem, sample_problem
from pocket.sampled_thoughts import Sample, prompt_ids
from pocket.thoughts import sample_thought
from pocket.tokenizer import END_OF_THOUGHT, completion_text, train_tokenizer
from pocket.training_batches import training_texts


@cache
def pocket_tokenizer() -> Tokenizer:
    """A tokenizer of the pocket language, from few texts."""
    pairs = training_texts(random.Random(0), 400)
    texts = [p for pair in pairs for text in pair for p in text.split(END_OF_THOUGHT)]
    return train_tokenizer(texts, merges=64, min_count=4)


@cache
def random_model() -> LlamaForCausalLM:
    """A small model with random weights for this tokenizer."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(pocket_tokenizer()),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
    )
    return LlamaForCausalLM(config).eval()


def sample_of(problem: Problem, completion: str) -> Sample:
    """A completion with its tokens."""
    tokenizer = pocket_tokenizer()
    ids = tokenizer.encode(completion, add_special_tokens=False)
    pieces = tokenizer.batch_decode([[token] for token in ids])
    return Sample(problem, prompt_ids(tokenizer, problem.question), ids, pieces)


def planted(count: int, seed: int) -> list[tuple[Thought, Sample]]:
    """Planted thoughts, and the samples with their texts."""
    rng, found = random.Random(seed), []
    for _ in range(count):
        problem = sample_problem(rng)
        thought = sample_thought(problem, rng)
        text = completion_text(thought.text, thought.answer)
        found.append((thought, sample_of(problem, text)))
    return found
