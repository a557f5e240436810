"""A tiny random model with a tokenizer of the pocket language."""

import random

import pytest
from tiny_models import write_model

from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from pocket.problems import sample_problem
from pocket.thoughts import sample_thought
from pocket.tokenizer import train_tokenizer


@pytest.fixture(scope="session")
def planted_model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    rng = random.Random(0)
    texts = []
    for _ in range(600):
        problem = sample_problem(rng)
        texts += [problem.question, sample_thought(problem, rng).text]
    tokenizer = train_tokenizer(texts, merges=32, min_count=3)
    tokenizer.save_pretrained(folder)
    write_model(folder, len(tokenizer))
    return ModelSettings(str(folder), None, "float32", "cpu", "</think>", {})


@pytest.fixture(scope="session")
def tokenizer(planted_model):
    return load_tokenizer(planted_model)
