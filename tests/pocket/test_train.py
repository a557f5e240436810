"""A training of a few steps, end to end, also stopped and continued."""

import dataclasses
import json
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
from pocket.checkpoints import Progress, load_checkpoint
from pocket.train import main, make_model, make_tokenizer, step_size_share
from pocket.training_batches import IGNORED, collate
from pocket.training_settings import Settings

CONFIG = Path(__file__).parents[2] / "config/pocket-training.yaml"
TINY = {
    **{"hidden": 32, "layers": 2, "heads": 2, "kv_heads": 1, "mlp": 48},
    **{"tokens": 20_000, "batch_tokens": 2048, "pool_rows": 64},
    **{"compile": False, "checkpoint_seconds": 600, "tokenizer_rows": 300},
    "schedule": [[0, 0], [4000, 1], [14_000, 1], [20_000, 0]],
    "stages": [
        {"tokens": 0, "drills": 1},
        {"tokens": 4000, "drills": 0.25},
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
    ids, targets, weights = collate(batch, tokenizer.pad_token_id)

    def loss() -> float:
        with torch.no_grad():
            total = train_pocket.weighted_loss(
                model.model, model.lm_head, ids, targets, weights
            )
        return float(total / weights.sum())

    before = loss()
    train_pocket.train(model, tokenizer, tmp_path / "checkpoint.pt", longer)
    assert loss() < before - 1


def test_a_stopped_and_continued_training_ends_in_the_same_weights(
    settings, settings_path, tmp_path, monkeypatch
):
    whole, _ = run(settings_path, tmp_path / "whole")
    cut = dict(left=5)
    loss = train_pocket.weighted_loss

    def failing(*arguments):
        cut["left"] -= 1
        if cut["left"] < 0:
            raise KeyboardInterrupt
        return loss(*arguments)

    often = yaml.safe_load(settings_path.read_text()) | {"checkpoint_seconds": -1}
    settings_path.write_text(yaml.safe_dump(often))
    monkeypatch.setattr(train_pocket, "weighted_loss", failing)
    with pytest.raises(KeyboardInterrupt):
        run(settings_path, tmp_path / "parts")
    assert (tmp_path / "parts/checkpoint.pt").exists()
    monkeypatch.setattr(train_pocket, "weighted_loss", loss)
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


def test_the_loss_is_the_weighted_sum_of_the_cross_entropies(settings, tokenizer):
    model = make_model(settings, tokenizer)
    progress = Progress(tokens_before_pool=settings.tokens)
    batch = train_pocket.pool_of(settings, tokenizer, progress)[0]
    ids, targets, weights = collate(batch, tokenizer.pad_token_id)
    with torch.no_grad():
        found = train_pocket.weighted_loss(
            model.model, model.lm_head, ids, targets, weights
        )
        expected = 0.0
        for row in batch:  # row by row, without padding
            logits = model(torch.tensor([row.ids])).logits[0].double()
            logs = logits.log_softmax(-1)
            for index in row.targets:
                expected -= row.weight * float(logs[index - 1, row.ids[index]])
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert (targets[weights > 0] != IGNORED).all()


def test_a_row_is_what_the_chat_template_gives_with_one_bos(settings, tokenizer):
    progress = Progress(tokens_before_pool=settings.tokens)
    seen = 0
    for row in train_pocket.pool_of(settings, tokenizer, progress)[0]:
        text = tokenizer.decode(row.ids)
        assert row.ids.count(tokenizer.bos_token_id) == 1
        if "<think>" not in text:  # a drill
            continue
        seen += 1
        question = text.split("<｜User｜>")[1].split("<｜Assistant｜>")[0]
        prompt = tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            return_dict=True,
        )["input_ids"]
        assert row.ids[: len(prompt)] == prompt
    assert seen


def test_drills_come_first_and_then_beside_thoughts(settings, tokenizer):
    def share_of_drills(tokens_before: int) -> float:
        progress = Progress(tokens_before_pool=tokens_before)
        pool = train_pocket.pool_of(settings, tokenizer, progress)
        rows = [row for batch in pool for row in batch]
        drills = [row for row in rows if "<think>" not in tokenizer.decode(row.ids)]
        assert all(row.weight == settings.drill_weight for row in drills)
        assert len(rows) == settings.pool_rows
        return len(drills) / len(rows)

    assert share_of_drills(0) == 1
    assert share_of_drills(3999) == 1
    assert share_of_drills(4000) == 0.25


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
        {"forced_answers": {"slips": 1}},
        {"stages": [{"tokens": 0, "drills": 0, "slips": 1}]},
    ],
)
def test_an_unknown_setting_is_refused_by_name(settings_path, change):
    raw = yaml.safe_load(settings_path.read_text()) | change
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match=r"widht|slips"):
        Settings.read(settings_path)


@pytest.mark.parametrize("stages", [[], [{"tokens": 5, "drills": 0}]])
def test_a_training_without_a_first_stage_is_refused(settings_path, stages):
    raw = yaml.safe_load(settings_path.read_text()) | {"stages": stages}
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match="stages"):
        Settings.read(settings_path)


def test_a_missing_setting_is_refused_by_name(settings_path):
    raw = yaml.safe_load(settings_path.read_text())
    del raw["forced_answers"]
    settings_path.write_text(yaml.safe_dump(raw))
    with pytest.raises(InputError, match="forced_answers"):
        Settings.read(settings_path)
