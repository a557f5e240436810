"""In the shipped pocket model every cause makes turning back more likely."""

from pathlib import Path

import pytest
from tiny_twins import measured_twins, trace_row

from doubletake.stats.draws import generator
from doubletake.stats.verification import Verification
from doubletake.study.settings import ModelSettings
from doubletake.text.tokenizer import load_tokenizer
from pocket.causes import DISTRACTOR, OPEN_WORD, SLIP
from pocket.evaluate import sample_test_problems
from pocket.thoughts import sample_thought
from truth.read import truth_rows
from twins.measure import Settings

FOLDER = Path(__file__).parents[2] / "resources/pocket"
THOUGHTS = 300


@pytest.fixture(scope="module")
def twins(tmp_path_factory):
    """Twins of contexts that the generator wrote on test problems."""
    folder = tmp_path_factory.mktemp("shipped")
    model = ModelSettings(str(FOLDER), None, "float32", "cpu", "</think>", {})
    tokenizer = load_tokenizer(model)
    rng = generator("twins", 0)
    problems, traces, truth = [], [], []
    for number, problem in enumerate(sample_test_problems(THOUGHTS, seed=2)):
        text = sample_thought(problem, rng).text
        trace = trace_row(tokenizer, f"{number:05d}/0", problem.question, text)
        row = {"problem": trace["problem"], "gold": str(problem.answer)}
        problems.append(row | {"question": problem.question, "solution": ""})
        traces.append(trace)
        truth += truth_rows(trace, problem.question)
    settings = Settings(
        pairs=40, seed=0, batch_memory=0.5, verification=Verification(0.1, 3, 0)
    )
    return measured_twins(folder, problems, traces, truth, model, settings)


@pytest.mark.parametrize("cause", [SLIP, DISTRACTOR, OPEN_WORD])
def test_the_effect_of_each_cause_is_positive(twins, cause):
    pairs = twins.filter(cause=cause)
    effects = pairs["turn_with"] - pairs["turn_without"]
    assert len(effects) >= 15
    assert effects.mean() - 3 * effects.std() / len(effects) ** 0.5 > 0.05
