"""The shipped pocket model is small, loads offline and fits its card."""

import json
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from pocket.evaluate import Settings, evaluate, sample_test_problems
from pocket.problems import gsm8k_row
from pocket.tokenizer import ANSWER_PROMPT, prompt_text

FOLDER = Path(__file__).parents[2] / "resources/pocket"


@pytest.fixture(scope="module")
def tokenizer():
    return AutoTokenizer.from_pretrained(FOLDER)


@pytest.fixture(scope="module")
def model():
    return AutoModelForCausalLM.from_pretrained(FOLDER, dtype="float32").eval()


def test_it_is_a_small_llama(model, tokenizer):
    assert type(model).__name__ == "LlamaForCausalLM"
    assert 1_000_000 <= model.num_parameters() <= 3_000_000
    assert model.config.vocab_size == len(tokenizer)
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 8_000_000


def test_its_prompt_has_one_bos(tokenizer):
    ids = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Tom has 12 apples."}],
        add_generation_prompt=True,
        return_dict=True,
    )["input_ids"]
    assert tokenizer.decode(ids) == prompt_text("Tom has 12 apples.")
    assert ids.count(tokenizer.bos_token_id) == 1


def test_the_shipped_problems_are_those_of_the_evaluation():
    lines = (FOLDER / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    problems = sample_test_problems(len(lines), seed=0)
    assert list(map(json.loads, lines)) == list(map(gsm8k_row, problems))


def test_it_reasons_and_needs_its_thoughts(model, tokenizer):
    torch.set_num_threads(1)
    settings = Settings(
        problems=24, seed=0, temperature=0.6, top_p=0.95, max_new_tokens=512, batch=24
    )
    problems = sample_test_problems(settings.problems, settings.seed)
    metrics, _ = evaluate(model, tokenizer, problems, settings)
    # 0.98 was measured: fewer than 20 of 24 has a chance of two in ten thousand.
    assert metrics["accuracy"] >= 20 / 24
    assert metrics["closed"] >= 0.9
    assert metrics["forced_accuracy"] <= 0.25


def test_the_answer_prompt_ends_where_its_answer_begins(tokenizer):
    whole = tokenizer.encode(f"{ANSWER_PROMPT}14}}.", add_special_tokens=False)
    prompt = tokenizer.encode(ANSWER_PROMPT, add_special_tokens=False)
    assert whole[: len(prompt)] == prompt
    assert tokenizer.decode(whole[len(prompt)]) == "14"


def test_the_card_states_the_measured_numbers():
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    metrics = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))
    training = json.loads((FOLDER / "training.json").read_text(encoding="utf-8"))
    assert f"| Final answer right | {100 * metrics['accuracy']:.1f}% |" in card
    assert f"{training['tokens']:,} tokens" in card
    assert f"{training['parameters']:,} parameters" in card
