"""The shipped pocket model is small, loads offline and shows what it must show."""

import json
from functools import reduce
from math import sqrt
from pathlib import Path

import pytest
import torch
import yaml
from transformers import AutoModelForCausalLM, AutoTokenizer

from pocket.causes import CAUSES
from pocket.evaluate import Settings, evaluate, sample_test_problems
from pocket.problems import gsm8k_row
from pocket.reading import LANGUAGE
from pocket.tokenizer import ANSWER_PROMPT, prompt_text
from pocket.wanted import WANTED

FOLDER = Path(__file__).parents[2] / "resources/pocket"
METRICS = json.loads((FOLDER / "metrics.json").read_text(encoding="utf-8"))


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


@pytest.mark.parametrize("bound", WANTED, ids=lambda bound: bound.key)
def test_its_metrics_lie_in_the_wanted_ranges(bound):
    assert bound.reached(METRICS), bound.measured(METRICS)


@pytest.fixture(scope="module")
def fresh(model, tokenizer):
    """Metrics of a small sample on other problems."""
    torch.set_num_threads(1)
    settings = Settings(
        problems=96,
        problems_without_thought=600,
        seed=1,
        temperature=0.6,
        top_p=0.95,
        max_new_tokens=1024,
        batch=96,
    )
    problems = sample_test_problems(settings.problems_without_thought, settings.seed)
    return evaluate(model, tokenizer, problems, settings)[0]


SHARES = [
    "thoughts.accuracy",
    "thoughts.closed",
    "thoughts.first_arrival_wrong",
    "thoughts.mended_of_wrong",
    "boundaries.read",
    *(f"boundaries.turn_rate.{cause}" for cause in CAUSES),
]


def at(metrics: dict, key: str) -> dict:
    """A part of the metrics."""
    return reduce(lambda part, name: part[name], key.split("."), metrics)


@pytest.mark.parametrize("key", SHARES)
def test_a_fresh_sample_shows_the_same_shares(fresh, key):
    one, two = at(METRICS, key), at(fresh, key)
    # Thoughts on other problems: four standard errors, with one case of each kind
    # added, because a share of 1 has no spread. One boundary is like the next one of
    # its thought, so boundaries count half.
    counts = [m["n"] / (2 if key.startswith("boundaries") else 1) for m in (one, two)]
    share = (one["share"] * one["n"] + 1) / (one["n"] + 2)
    spread = sqrt(share * (1 - share) * sum(1 / count for count in counts))
    assert abs(one["share"] - two["share"]) <= 4 * spread + 1 / counts[1]


def test_a_fresh_sample_turns_as_planted(fresh):
    for rate in fresh["boundaries"]["turn_rate"].values():
        assert rate["n"] >= 10
        spread = sqrt(rate["planted"] * (1 - rate["planted"]) / rate["n"])
        assert abs(rate["gap"]) <= 0.1 + 3 * spread


def test_a_fresh_sample_is_as_sure_as_it_is_right(fresh):
    for name in ("exit_0", "later"):
        found, shipped = fresh["exits"][name], METRICS["exits"][name]
        # Fewer exits have a larger error by chance; it is measured beside.
        assert found["ece"] <= 0.05 + 2 * found["ece_of_calibrated"]
        assert abs(found["mean_confidence"] - shipped["mean_confidence"]) <= 0.1
    assert fresh["exits"]["exit_0"]["mean_confidence"] <= 0.4
    assert fresh["exits"]["all"]["auroc"] >= 0.8


def test_the_answer_prompt_ends_where_its_answer_begins(tokenizer):
    whole = tokenizer.encode(f"{ANSWER_PROMPT}14}}.", add_special_tokens=False)
    prompt = tokenizer.encode(ANSWER_PROMPT, add_special_tokens=False)
    assert whole[: len(prompt)] == prompt
    assert tokenizer.decode(whole[len(prompt)]) == "14"


def test_the_card_names_its_language():
    head = (FOLDER / "README.md").read_text(encoding="utf-8").split("---")[1]
    assert yaml.safe_load(head)["planted_language"] == LANGUAGE
