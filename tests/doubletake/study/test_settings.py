"""Checks of the config that its schema cannot make."""

import copy
import json

import pytest

from doubletake.model.folders import weight_files
from doubletake.running.errors import InputError
from doubletake.study import settings as studies
from early_exit import settings as early_exit_settings


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
        "events": {"detector": "rules", "labels": str(labels)},
        "attribution": {"stop_words": str(labels)},
        "early_exit": {
            "answer_prompt": "\n</think>\n\n\\boxed{",
            "answer_stop": "}",
            "max_answer_tokens": 8,
            "groups": [1],
            "calibration_bins": 3,
        },
        "batch_memory": 0.1,
        "verification": {"share": 0.1, "minimum": 1, "seed": 0},
        "intervals": {"confidence": 0.9, "least_problems": 3},
    }


@pytest.fixture
def sources(tmp_path):
    return studies.Sources((tmp_path,))


@pytest.fixture
def folder(tiny_model, tmp_path):
    """A copy of the tiny model's folder that a test may damage."""
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
        (
            ("models", "tiny", "end_of_thought"),
            "<done>",
            "cannot be told from",
        ),
        (("models", "tiny", "start_of_thought"), "<go>", "end_of_thought is not set"),
        (("models", "tiny", "date"), "2024-13-01", "'2024-13-01' is not a date"),
        (("datasets", "few", "source"), "gone.jsonl", r"datasets\.few\.source: no"),
        (("attribution", "stop_words"), "gone.txt", r"stop_words: no such file: gone"),
        (("events", "labels"), "gone.jsonl", r"events\.labels: no such file: gone"),
        (("early_exit", "answer_prompt"), "\\boxed{", "end-of-thought marker"),
        (("models", "tiny", "answer_prompt"), "\\boxed{", "end-of-thought marker"),
    ],
)
def test_a_config_that_cannot_run_is_refused_with_the_key(
    config, sources, path, value, message
):
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
    with pytest.raises(InputError, match=r"events\.labels: .* is not a \.jsonl file"):
        studies.check(config, sources)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_an_incomplete_model_folder_is_named(config, sources, folder, name):
    (folder / name).unlink()
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match=r"model has no"):
        studies.check(config, sources)


@pytest.mark.parametrize("names", [[], ["consolidated.safetensors", "x.safetensors"]])
def test_weights_with_other_names_are_not_read(config, sources, folder, names):
    (folder / "model.safetensors").unlink()
    for name in names:
        (folder / name).write_text("")
    config["models"]["tiny"]["source"] = str(folder)
    unread = f", and {', '.join(names)} is not read" if names else ""
    with pytest.raises(InputError, match=rf"has no weights \(model.*names\){unread}$"):
        studies.check(config, sources)


def test_weight_files_are_those_that_are_read(folder):
    whole = folder / "model.safetensors"
    (folder / "consolidated.safetensors").write_text("")
    assert weight_files(folder) == [whole]
    index = folder / "model.safetensors.index.json"
    names = {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}
    index.write_text(json.dumps({"weight_map": names}))
    assert weight_files(folder) == [whole]
    whole.unlink()
    parts = [folder / "a.safetensors", folder / "b.safetensors"]
    assert weight_files(folder) == [index, *parts]


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


def test_equal_markers_are_named(config, sources):
    markers = {"start_of_thought": "</think>", "end_of_thought": "</think>"}
    config["models"]["tiny"] |= markers
    with pytest.raises(InputError, match="both '</think>'"):
        studies.check(config, sources)


def test_a_model_that_shows_no_markers_is_named(config, sources, folder):
    path = folder / "tokenizer.json"
    path.write_text(path.read_text().replace("think>", "thunk>"))
    path = folder / "tokenizer_config.json"
    path.write_text(path.read_text().replace("<think>", ""))
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match="set start_of_thought and end_of_thought"):
        studies.check(config, sources)
    config["models"]["tiny"]["end_of_thought"] = "</think>"  # as a text of many tokens
    studies.check(config, sources)


@pytest.mark.parametrize("name", ["messages", "add_generation_prompt"])
def test_arguments_that_are_not_the_templates_own_are_named(config, sources, name):
    config["models"]["tiny"]["template_arguments"] = {name: False}
    with pytest.raises(InputError, match=f"template_arguments: {name} is not"):
        studies.check(config, sources)


def test_a_marker_that_the_tokenizer_cannot_write_is_named(config, sources, folder):
    path = folder / "tokenizer.json"
    parts = json.loads(path.read_text())
    parts["normalizer"] = {"type": "Lowercase"}
    path.write_text(json.dumps(parts))
    config["models"]["tiny"] |= {"source": str(folder), "end_of_thought": "[/THINK]"}
    config["early_exit"]["answer_prompt"] = "{end_of_thought}"
    with pytest.raises(InputError, match=r"cannot write the marker '\[/?THINK\]'"):
        studies.check(config, sources)


def test_a_prompt_that_closes_the_thought_is_named(config, sources, folder):
    path = folder / "tokenizer_config.json"
    path.write_text(
        path.read_text().replace(
            "<think>\\n",
            "<think>\\n{% if not thinking %}</think>{% endif %}",
        )
    )
    config["models"]["tiny"]["source"] = str(folder)
    with pytest.raises(InputError, match=r"models\.tiny: .* already closes the"):
        studies.check(config, sources)
    config["models"]["tiny"]["template_arguments"] = {"thinking": True}
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
    settings = early_exit_settings.measure(config, "tiny")
    assert settings["answer_prompt"] == "</think> So"
    assert "groups" not in settings


def test_a_hub_source_without_a_revision_is_told_how_to_pin_one(config, sources):
    for section, name, place in (
        ("models", "tiny", ""),
        ("datasets", "few", "datasets/"),
    ):
        entry = config[section][name]
        entry["source"], kept = "owner/name", entry["source"]
        url = f"https://huggingface.co/{place}owner/name"
        with pytest.raises(InputError, match=f"`git ls-remote {url} HEAD` prints"):
            studies.check(config, sources)
        entry["source"] = "./owner/name"
        with pytest.raises(InputError, match=r"needs a `revision`\)"):
            studies.check(config, sources)
        entry["source"] = kept


def test_a_missing_source_is_told_where_it_was_looked_for(config, tmp_path):
    config["models"]["tiny"]["source"] = "gone"
    sources = studies.Sources((tmp_path / "here", tmp_path / "there"))
    said = f"looked in {tmp_path}/here and {tmp_path}/there;"
    with pytest.raises(InputError, match=said):
        studies.check(config, sources)


def test_the_home_of_a_user_is_written_as_a_tilde(
    config, sources, folder, tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    config["models"]["tiny"]["source"] = "~/model"
    studies.check(config, sources)
    settings = studies.model_settings(config, "tiny", sources)
    assert settings["source"] == str(folder)
    config["models"]["tiny"]["source"] = "~nobody-of-this-name/model"
    with pytest.raises(InputError, match="no such file or folder: ~nobody"):
        studies.check(config, sources)
    assert studies.results_folder({"results": "~/out/"}) == f"{tmp_path}/out"


@pytest.mark.parametrize(
    ("results", "folder"),
    [("results", "results"), ("./a//b/", "a/b"), ("../out", "../out"), ("/x", "/x")],
)
def test_the_folder_of_the_results_has_one_name(results, folder):
    assert studies.results_folder({"results": results}) == folder


@pytest.mark.parametrize("results", ["{model}", "a$b", "<results>", 'a"b'])
def test_a_folder_that_snakemake_or_a_shell_would_change_is_refused(results):
    with pytest.raises(InputError, match=r"results: .* has a special meaning"):
        studies.results_folder({"results": results})


def test_sources_are_found_where_snakemake_runs_then_beside_the_workflow(tmp_path):
    for name in ("here/mine", "here/both", "far/both", "far/theirs", "here/sub/own"):
        (tmp_path / name).mkdir(parents=True)
    here, far, inside = (tmp_path / name for name in ("here", "far", "here/sub"))
    sources = studies.Sources((here, far))
    assert sources.local("mine") == studies.Path("mine")
    assert sources.local("both") == studies.Path("both")
    assert sources.local("theirs") == far / "theirs"
    assert sources.local("gone") is None
    assert sources.own("both") == far / "both"
    # A path does not change when the folder with the workflow inside is moved.
    sources = studies.Sources((here, inside))
    assert sources.local("own") == sources.own("own") == studies.Path("sub/own")
    assert studies.Sources((far, far)).own("both") == studies.Path("both")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"source": "few.txt"},
            r"datasets\.few\.source: .*few\.txt: the name must end",
        ),
        ({"source": "empty"}, r"datasets\.few\.source: .*empty holds no file of rows"),
        ({"problems": "gone.jsonl"}, r"datasets\.few\.problems: no such file: gone"),
        ({"problems": "few.txt"}, r"datasets\.few\.problems: .*must end in"),
        (
            {"thoughts": False, "problems": "few.jsonl"},
            r"few\.problems: only for a dataset with `thoughts: true`",
        ),
        (
            {"thoughts": False, "columns": {"thought": "a"}},
            r"few\.columns\.thought: only for a dataset with `thoughts: true`",
        ),
        (
            {"columns": {"thought": "a", "response": "b"}},
            r"few\.columns: names both 'thought' and 'response'",
        ),
        ({"source": "odd"}, r"datasets\.few\.source: .*holds \{, which"),
    ],
)
def test_a_dataset_that_cannot_be_read_is_refused_with_the_key(
    config, sources, tmp_path, monkeypatch, entry, message
):
    monkeypatch.chdir(tmp_path)
    for name in ("few.txt", "few.jsonl"):
        (tmp_path / name).write_text("")
    for name in ("empty", "odd"):
        (tmp_path / name).mkdir()
    (tmp_path / "odd/{a}.jsonl").write_text("")
    config["datasets"]["few"] = {"source": "few.jsonl", "thoughts": True} | entry
    with pytest.raises(InputError, match=message):
        studies.check(config, sources)


def test_files_of_a_dataset_have_the_names_of_the_config(
    config, sources, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for name in ("own/b.csv", "own/a/c.jsonl.gz", "golds.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text("")
    config["datasets"]["few"] = {
        "source": "own/",
        "thoughts": True,
        "problems": "golds.jsonl",
    }
    studies.check(config, sources)
    files = studies.dataset_files(config, "few", sources)
    assert list(files) == ["own/a/c.jsonl.gz", "own/b.csv", "golds.jsonl"]
    assert all((tmp_path / path).exists() for path in files.values())


def test_thoughts_on_the_hub_need_no_local_file(config, sources):
    entry = {"source": "owner/data", "revision": "e" * 40, "thoughts": True}
    config["datasets"]["few"] = entry
    studies.check(config, sources)
    assert studies.dataset_files(config, "few", sources) == {}
