"""Rows of the training: which tokens have a loss, and with which weight."""

import random
import re

import pytest
import torch

from pocket.arithmetic import Equation, calculate
from pocket.derivations import wrong_result
from pocket.problems import is_test_question, sample_problem
from pocket.thoughts import sample_thought
from pocket.tokenizer import (
    ANSWER_PROMPT,
    END_OF_THOUGHT,
    prompt_text,
    train_tokenizer,
)
from pocket.training_batches import (
    DRILL_EQUATIONS,
    FALSE_EQUATIONS,
    IGNORED,
    ForcedAnswers,
    Row,
    all_facts,
    collate,
    drill_rows,
    in_batches,
    thought_rows,
    training_texts,
    training_thoughts,
)

WHOLE = ForcedAnswers(no_thought=0, arrival=0, derivation=0, weight=8)


@pytest.fixture(scope="module")
def tokenizer():
    pairs = training_texts(random.Random(0), 1000)
    texts = [p for pair in pairs for text in pair for p in text.split(END_OF_THOUGHT)]
    return train_tokenizer(texts, merges=64, min_count=10)


def ids_of(tokenizer, text: str) -> list[int]:
    return tokenizer.encode(text, add_special_tokens=False)


def test_training_thoughts_are_on_questions_outside_the_test_split():
    thoughts = training_thoughts(random.Random(1), 500)
    assert len(thoughts) == 500
    assert not any(is_test_question(problem.question) for problem, _ in thoughts)


def test_a_whole_row_has_its_loss_on_all_of_the_completion(tokenizer):
    rows = thought_rows(tokenizer, rng=random.Random(2), forced=WHOLE, rows=50)
    thoughts = training_thoughts(random.Random(2), 50)
    for row, (problem, thought) in zip(rows, thoughts, strict=True):
        prompt = ids_of(tokenizer, prompt_text(problem.question))
        # The completion boxes what the thought believes.
        text = f"{thought.text}{ANSWER_PROMPT}{thought.answer}}}."
        completion = ids_of(tokenizer, text)
        assert row.ids == [*prompt, *completion, tokenizer.eos_token_id]
        assert row.targets == list(range(len(prompt), len(row.ids)))
        assert row.weight == 1
        assert row.ids.count(tokenizer.bos_token_id) == 1


@pytest.mark.parametrize("place", ["no_thought", "arrival", "derivation"])
def test_a_forced_answer_has_its_loss_on_the_true_answer_alone(tokenizer, place):
    forced = ForcedAnswers(**{**vars(WHOLE), place: 1})
    rows = thought_rows(tokenizer, rng=random.Random(3), forced=forced, rows=200)
    thoughts = training_thoughts(random.Random(3), 200)
    lengths = set()
    for row, (problem, thought) in zip(rows, thoughts, strict=True):
        text = tokenizer.decode(row.ids).removeprefix(prompt_text(problem.question))
        cut, _, answer = text.partition(ANSWER_PROMPT)
        assert thought.text.startswith(cut)
        assert answer == f"{problem.answer}}}."
        # The ids are those of an exit: three parts, tokenized apart.
        parts = (prompt_text(problem.question), cut, ANSWER_PROMPT)
        before = [i for part in parts for i in ids_of(tokenizer, part)]
        assert row.ids == [*before, *ids_of(tokenizer, answer)]
        assert row.targets == list(range(len(before), len(row.ids)))
        assert row.weight == 8
        first = thought.arrivals[0]
        if place == "no_thought":
            assert cut == ""
        elif place == "arrival":
            ends = [thought.text.index(".", a.end) + 1 for a in thought.arrivals]
            assert len(cut) in ends
            lengths.add(ends.index(len(cut)))
        else:
            assert len(cut) in (0, *thought.sentence_ends)
            assert len(cut) < first.start
            lengths.add(bool(cut))
    assert len(lengths) >= {"no_thought": 0, "arrival": 4, "derivation": 2}[place]


def test_the_shares_of_forced_answers_are_as_set(tokenizer):
    forced = ForcedAnswers(no_thought=0.1, arrival=0.2, derivation=0.1, weight=8)
    rows = thought_rows(tokenizer, rng=random.Random(4), forced=forced, rows=3000)
    closed = [row for row in rows if row.weight == 8]
    assert abs(len(closed) / len(rows) - 0.4) < 0.05
    empty = f"<think>\n{ANSWER_PROMPT}"
    unthought = [row for row in closed if empty in tokenizer.decode(row.ids)]
    assert 0.09 < len(unthought) / len(rows) < 0.17


def test_drills_deny_each_false_equation_and_have_no_loss_on_its_result(tokenizer):
    rows = drill_rows(tokenizer, rng=random.Random(0), weight=4, rows=40)
    false = 0
    for row in rows:
        assert (row.ids[0], row.weight) == (tokenizer.bos_token_id, 4)
        text = tokenizer.decode(row.ids[1:])
        sentences = re.findall(
            r" (Wait, )?(\d+ \S \d+) = (\d+)( is not right)?\.", text
        )
        targets: list[str] = []
        denied = ""
        for wait, task, result, _ in sentences:
            left, sign, right = task.split()
            stated = Equation(int(left), sign, int(right), int(result))
            is_true = stated.is_true
            assert not (is_true and wait)
            if wait:
                sentence = f" Wait, {task} = {result} is not right."
                targets += map(tokenizer.decode, ids_of(tokenizer, sentence))
                denied = task
            elif is_true:
                assert denied in ("", task)
                targets += [" ", result]
                denied = ""
            else:
                assert stated.result == wrong_result(stated)
                targets.append(" ")
                false += 1
        assert [tokenizer.decode(row.ids[index]) for index in row.targets] == targets
    facts = all_facts()
    with_a_wrong_result = sum(wrong_result(fact) is not None for fact in facts)
    share = false / (len(rows) * DRILL_EQUATIONS) * len(facts) / with_a_wrong_result
    assert abs(share - FALSE_EQUATIONS) < 0.06


def test_drills_hold_every_fact_of_the_language():
    facts = set(map(str, all_facts()))
    rng = random.Random(0)
    for _ in range(1000):
        problem = sample_problem(rng)
        text = sample_thought(problem, rng).text
        tasks = re.findall(r"(\d+) ([-+*/]) (\d+) = ", text)
        assert {
            f"{left} {s} {right} = {calculate(int(left), s, int(right))}"
            for left, s, right in tasks
        } <= facts


def test_collate_puts_targets_and_weights_one_place_before_their_tokens():
    batch = [Row([1, 2, 3, 4, 5], [3, 4], 8.0), Row([6, 7, 8], [1])]
    ids, targets, weights = collate(batch, pad=0)
    none = IGNORED
    assert ids.tolist() == [[1, 2, 3, 4, 5], [6, 7, 8, 0, 0]]
    assert targets.tolist() == [[none, none, 4, 5, none], [7, none, none, none, none]]
    assert weights.tolist() == [[0, 0, 8, 8, 0], [1, 0, 0, 0, 0]]
    assert ids.dtype == targets.dtype == torch.int64


def test_batches_keep_to_their_size_with_little_padding(tokenizer):
    forced = ForcedAnswers(no_thought=0.1, arrival=0.2, derivation=0.1, weight=8)
    rng = random.Random(0)
    rows = thought_rows(tokenizer, rng=rng, forced=forced, rows=2048)
    batches = in_batches(rows, rng, 4096)
    sizes = [len(batch) * max(len(row.ids) for row in batch) for batch in batches]
    real = sum(len(row.ids) for row in rows)
    assert max(sizes) <= 4096
    assert sorted(map(id, rows)) == sorted(id(r) for batch in batches for r in batch)
    assert real / sum(sizes) > 0.95
