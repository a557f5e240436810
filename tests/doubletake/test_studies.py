"""What a config may say, beyond its schema."""

import copy
import json

import pytest

from doubletake import studies
from doubletake.errors import InputError


@pytest.fixture
def config(tiny_model, tmp_path):
    problems = tmp_path / "problems.jsonl"
    problems.write_text("")
    labels = tmp_path / "labelled.jsonl"
    labels.write_text("")
    return {
        "studies": [{"model": "tiny", "dataset": "few"}],
        "models": {
            "tiny": {"source": str(tiny_model), "dtype": "float32", "device": "cpu"},
            "unused": {"source": "nowhere", "dtype": "float32", "device": "cpu"},
        },
        "datasets": {"few": {"source": str(problems)}},
        "events": {"detector": "rules", "labels": str(labels), "seed": 0},
        "attribution": {"stop_words": str(labels)},
        "early_exit": {
            "answer_prompt": "\n</think>\n\n\\boxed{",
            "answer_stop": "}",
            "max_answer_tokens": 8,
            "groups": [1],
            "calibration_bins": 3,
        },
        "verification": {"share": 0.1, "minimum": 1, "seed": 0},
        "intervals": {"bootstrap": 10, "confidence": 0.9, "seed": 0},
    }


@pytest.fixture
def sources(tmp_path):
    return studies.Sources((tmp_path,))


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy of the tiny model's folder that a test may spoil."""
    copied = tmp_path / "model"
    copied.mkdir()
    for path in tiny_model.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    return copied


def test_a_good_config_passes(config, sources):
    studies.check(config, sources)


def test_a_model_that_no_study_uses_need_not_be_there(config, sources):
    studies.check(config, sources)
    config["studies"].append({"model": "unused", "dataset": "few"})
    with pytest.raises(InputError, match=r"models\.unused\.source: no such file"):
        studies.check(config, sources)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("studies", 0, "model"), "tinny", r"studies\[0\]\.model: 'tinny' is not"),
        (("studies", 0, "dataset"), "many", r"studies\[0\]\.dataset: 'many'"),
        (("models", "tiny", "source"), "nowhere", r"models\.tiny\.source: no such"),
        (("models", "tiny", "revision"), "0" * 40, "local path"),
        (("models", "tiny", "end_of_thought"), "</reason>", "answer_prompt"),
        (("datasets", "few", "source"), "gone.jsonl", r"datasets\.few\.source: no"),
        (("attribution", "stop_words"), "gone.txt", r"stop_words: no such file: gone"),
        (("events", "labels"), "gone.jsonl", r"events\.labels: no such file: gone"),
        (("early_exit", "answer_prompt"), "\\boxed{", "end-of-thought marker"),
        (("models", "tiny", "answer_prompt"), "\\boxed{", "end-of-thought marker"),
    ],
)
def test_what_cannot_run_is_named(config, sources, path, value, message):
    spoiled = copy.deepcopy(config)
    place = spoiled
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    with pytest.raises(InputError, match=message):
        studies.check(spoiled, sources)


def test_labels_of_another_kind_are_named(config, sources, tmp_path):
    (tmp_path / "labels.csv").write_text("")
    config["events"]["labels"] = str(tmp_path / "labels.csv")
    with pytest.raises(InputError, match=r"events\.labels: .* is no \.jsonl file"):
        studies.check(config, sources)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_model_folder_is_named(config, sources, folder, name):
    (folder / name).unlink()
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match=r"model has no"):
        studies.check(config, sources)


def test_an_unknown_architecture_is_named(config, sources, folder):
    (folder / "config.json").write_text('{"model_type": "mamba"}')
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match="unsupported architecture 'mamba'"):
        studies.check(config, sources)


def test_a_model_without_chat_template_is_named(config, sources, folder):
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text())
    del settings["chat_template"]
    path.write_text(json.dumps(settings))
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match="no chat template"):
        studies.check(config, sources)


def test_a_tokenizer_without_the_marker_is_named(config, sources):
    config["models"]["tiny"]["end_of_thought"] = "</reason>"
    config["models"]["tiny"]["answer_prompt"] = "</reason>"
    with pytest.raises(InputError, match="no token '</reason>'"):
        studies.check(config, sources)


def test_hub_sources_need_a_revision(config, sources):
    config["models"]["tiny"] = {
        "source": "owner/name",
        "dtype": "float32",
        "device": "cpu",
    }
    with pytest.raises(InputError, match="needs a `revision`"):
        studies.check(config, sources)
    config["models"]["tiny"]["revision"] = "0" * 40
    studies.check(config, sources)


def test_a_model_overrides_the_answer_prompt(config):
    config["models"]["tiny"]["answer_prompt"] = "</think> So"
    settings = studies.early_exit_settings(config, "tiny")
    assert settings["answer_prompt"] == "</think> So"
    assert "groups" not in settings


@pytest.mark.parametrize("count", [1, 3, 7])
def test_shards_part_the_items(count):
    names = studies.shard_names(count)
    for index in range(20):
        assert sum(studies.in_shard(index, name) for name in names) == 1
