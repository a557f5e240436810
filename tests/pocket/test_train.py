"""A training of a few steps, end to end, also stopped and continued."""

import dataclasses
import json
import random
import re
from pathlib import Path

import pytest
import torch
import yaml
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from doubletake.running.errors import InputError
from pocket import train as train_pocket
from pocket.arithmetic import calculate
from pocket.checkpoints import Progress, load_checkpoint
from pocket.evaluate import read_thought
from pocket.train import main, make_model, make_tokenizer, step_size_share
from pocket.training_batches import (
    DRILL_EQUATIONS,
    IGNORED,
    collate,
    drill_batches,
    sample_batches,
)
from pocket.training_settings import Settings

CONFIG = Path(__file__).parents[2] / "config/pocket-training.yaml"
TINY = {
    **{"hidden": 32, "layers": 2, "heads": 2, "kv_heads": 1, "mlp": 48},
    **{"tokens": 20_000, "batch_tokens": 2048, "pool_rows": 64},
    **{"compile": False, "checkpoint_seconds": 600, "tokenizer_rows": 300},
    "schedule": [[0, 0], [4000, 1], [14_000, 1], [20_000, 0]],
    "stages": [
        {"tokens": 0, "drills": True},
        {"tokens": 4000, "habits": {"max_turns": 1}},
        {"tokens": 16_000},
    ],
}


def write_tiny(folder: Path) -> Path:
    """The shipped settings, made tiny."""
    path = folder / "settings.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(CONFIG.read_text()) | TINY))
    return path


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> PreTrainedTokenizerBase:
    return make_tokenizer(Settings.read(write_tiny(tmp_path_factory.mktemp("tiny"))))


@pytest.fixture
def settings_path(tmp_path) -> Path:
    return write_tiny(tmp_path)


@pytest.fixture
def settings(settings_path) -> Settings:
    return Settings.read(settings_path)


def thoughts_of(settings, tokenizer):
    """Batches of thoughts of the main part of the training."""
    return train_pocket.pool_of(
        settings, tokenizer, Progress(tokens_before_pool=settings.tokens)
    )


def run(settings_path: Path, folder: Path) -> tuple[Path, dict]:
    model_path, training_path = folder / "model", folder / "training.json"
    main(
        settings_path=settings_path, model_path=model_path, training_path=training_path
    )
    return model_path, json.loads(training_path.read_text())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return AutoModelForCausalLM.from_pretrained(folder).state_dict()


def test_a_short_training_writes_a_model_that_transformers_loads(
    settings_path, tmp_path
):
    folder, record = run(settings_path, tmp_path / "run")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert model.config.vocab_size == len(tokenizer) == record["vocabulary"]
    assert model.config.num_key_value_heads == 1
    assert record["tokens"] >= 20_000
    assert not (folder.parent / "checkpoint.pt").exists()


def test_training_lowers_the_loss(settings, tokenizer, tmp_path):
    longer = dataclasses.replace(settings, tokens=30_000, schedule=[(0, 0), (1000, 1)])
    model = make_model(longer, tokenizer)
    batch = next(train_pocket.batches_from(longer, tokenizer, Progress()))
    ids, targets = collate(batch, tokenizer.pad_token_id)

    def loss() -> float:
        with torch.no_grad():
            value = train_pocket.completion_loss(
                model.model, model.lm_head, ids, targets
            )
        return value.item()

    before = loss()
    train_pocket.train(model, tokenizer, tmp_path / "checkpoint.pt", longer)
    assert loss() < before - 1


def test_a_stopped_and_continued_training_ends_in_the_same_weights(
    settings, settings_path, tmp_path, monkeypatch
):
    whole, _ = run(settings_path, tmp_path / "whole")
    cut = dict(left=5)
    loss = train_pocket.completion_loss

    def failing(*arguments):
        cut["left"] -= 1
        if cut["left"] < 0:
            raise KeyboardInterrupt
        return loss(*arguments)

    often = yaml.safe_load(settings_path.read_text()) | {"checkpoint_seconds": -1}
    settings_path.write_text(yaml.safe_dump(often))
    monkeypatch.setattr(train_pocket, "completion_loss", failing)
    with pytest.raises(KeyboardInterrupt):
        run(settings_path, tmp_path / "parts")
    assert (tmp_path / "parts/checkpoint.pt").exists()
    monkeypatch.setattr(train_pocket, "completion_loss", loss)
    parts, record = run(settings_path, tmp_path / "parts")
    assert record["tokens"] >= settings.tokens
    expected = weights(whole)
    for name, tensor in weights(parts).items():
        assert torch.equal(tensor, expected[name]), name


def test_a_checkpoint_of_other_settings_is_not_used(settings, tokenizer, tmp_path):
    path = tmp_path / "checkpoint.pt"
    model = make_model(settings, tokenizer)
    train_pocket.train(model, tokenizer, path, settings)
    optimizers = train_pocket.make_optimizers(model, settings)
    same = load_checkpoint(path, model, optimizers, settings)
    other = dataclasses.replace(settings, learning_rate=0.1)
    assert same.tokens > 0
    assert load_checkpoint(path, model, optimizers, other) == Progress()


def test_the_loss_is_on_the_completion_alone(settings, tokenizer):
    (batch, *_) = thoughts_of(settings, tokenizer)
    ids, targets = collate(batch, tokenizer.pad_token_id)
    for row, sequence, target in zip(batch, ids, targets, strict=True):
        counted = target != IGNORED
        assert target[counted].tolist() == row.ids[row.prompt :]
        positions = counted.nonzero().flatten()
        assert torch.equal(sequence[positions + 1], target[counted])
        assert tokenizer.decode(row.ids[: row.prompt]).endswith("<think>\n")
        assert row.ids[-1] == tokenizer.eos_token_id


def test_a_row_is_what_the_chat_template_gives_with_one_bos(settings, tokenizer):
    bos = tokenizer.bos_token_id
    for row in thoughts_of(settings, tokenizer)[0]:
        text = tokenizer.decode(row.ids[: row.prompt])
        question = text.split("<｜User｜>")[1].split("<｜Assistant｜>")[0]
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_dict=True,
        )["input_ids"]
        assert row.ids[: row.prompt] == prompt
        assert row.ids.count(bos) == 1
        assert row.ids.count(tokenizer.eos_token_id) == 1


def test_drills_come_first_then_short_thoughts_then_all(settings, tokenizer):
    def longest(tokens_before: int) -> tuple[bool, int]:
        progress = Progress(tokens_before_pool=tokens_before)
        rows = [
            r for b in train_pocket.pool_of(settings, tokenizer, progress) for r in b
        ]
        texts = [tokenizer.decode(row.ids[row.prompt :]) for row in rows]
        turns = [read_thought(t.split("</think>")[0]).backtracks for t in texts]
        return all("</think>" in text for text in texts), max(turns)

    assert longest(0) == (False, 0)
    assert longest(4000) == (True, 1)
    assert longest(16_000) == (True, settings.habits.max_turns)


def test_drills_are_true_equations_after_one_bos(settings, tokenizer):
    batches = drill_batches(tokenizer, rng=random.Random(0), rows=20, batch_tokens=2048)
    for row in (row for batch in batches for row in batch):
        assert row.prompt == 1
        assert row.ids.count(tokenizer.bos_token_id) == 1
        text = tokenizer.decode(row.ids[1:])
        equations = re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)\.", text)
        assert len(equations) == DRILL_EQUATIONS
        for left, sign, right, result in equations:
            assert calculate(int(left), sign, int(right)) == int(result)


def test_batches_keep_to_their_size_with_little_padding(settings, tokenizer):
    batches = sample_batches(
        tokenizer,
        rng=random.Random(0),
        habits=settings.habits,
        rows=2048,
        batch_tokens=4096,
    )
    sizes = [len(batch) * max(len(row.ids) for row in batch) for batch in batches]
    real = sum(len(row.ids) for batch in batches for row in batch)
    assert max(sizes) <= 4096
    assert sum(map(len, batches)) == 2048
    assert real / sum(sizes) > 0.95


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [(0, 0.0), (1000, 0.25), (4000, 1.0), (10_000, 1.0), (17_000, 0.5), (20_000, 0.0)],
)
def test_the_step_size_is_linear_between_its_corners(settings, tokens, expected):
    assert step_size_share(tokens, settings) == pytest.approx(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"widht": 3},
        {"habits": {"slips": 1}},
        {"stages": [{"tokens": 0, "habits": {"slips": 1}}]},
    ],
)
def test_an_unknown_setting_is_refused_by_name(settings_path, change):
    raw = yaml.safe_load(settings_path.read_text()) | change
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match=r"widht|slips"):
        Settings.read(settings_path)


@pytest.mark.parametrize("stages", [[], [{"tokens": 5}]])
def test_a_training_without_a_first_stage_is_refused(settings_path, stages):
    raw = yaml.safe_load(settings_path.read_text()) | {"stages": stages}
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match="stages"):
        Settings.read(settings_path)


def test_a_missing_setting_is_refused_by_name(settings_path):
    raw = yaml.safe_load(settings_path.read_text())
    del raw["habits"]
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match="habits"):
        Settings.read(settings_path)
