"""The pocket model, its answer prompt, and the case of a hand-made thought."""

import pytest
import torch
from checkouts import ROOT
from tiny_models import tokenizer_settings
from tiny_repetition import QUESTION, RIGHT, events_of, pocket_trace

from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.loading import load_decoder
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import load_tokenizer
from repetition.cases import case_of


@pytest.fixture(scope="session")
def pocket():
    torch.set_num_threads(1)
    return tokenizer_settings(ROOT / "resources/pocket")


@pytest.fixture(scope="session")
def tokenizer(pocket):
    return load_tokenizer(pocket)


@pytest.fixture(scope="session")
def decoder(pocket):
    return load_decoder(pocket)


@pytest.fixture(scope="session")
def prompt(tokenizer, decoder):
    text = "{closing}The answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", decoder.stop_ids)


@pytest.fixture
def case(tokenizer, prompt):
    """The case of `RIGHT`."""
    trace = pocket_trace(tokenizer, RIGHT)
    thought = DrawnThought(trace, "40", QUESTION)
    return case_of(thought, "right", events_of(trace, RIGHT), prompt)
