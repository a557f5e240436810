"""What a model's files show before the first job: each fault has its remedy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkouts import ROOT

from doubletake.model.folders import cached_folder, check_model
from doubletake.running.errors import InputError

PROMPT = "{closing}\\boxed{"
BASE = "owner/the-base"
REVISION = "a" * 40


@pytest.fixture
def folder(tiny_model, tmp_path) -> Path:
    """A copy of the tiny model's folder, with a card that names its base model."""
    copied = tmp_path / "model"
    copied.mkdir()
    for path in tiny_model.iterdir():
        (copied / path.name).write_bytes(path.read_bytes())
    card = f"---\nlicense: mit\nbase_model:\n- {BASE}\n---\nA model.\n"
    (copied / "README.md").write_text(card)
    return copied


def settings(source: str | Path, revision: str | None = None) -> dict[str, Any]:
    return {
        "source": str(source),
        "revision": revision,
        "end_of_thought": None,
        "start_of_thought": None,
        "open_thought": False,
        "template_arguments": {},
        "trust_remote_code": False,
        "date": None,
    }


def refusal(source: str | Path, revision: str | None = None) -> str:
    """The message that refuses a model."""
    with pytest.raises(InputError) as refused:
        check_model("models.m", settings(source, revision), PROMPT)
    text = str(refused.value)
    assert text.startswith("models.m")
    assert "\n" not in text
    return text


def edit(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def only(folder: Path, *names: str) -> None:
    """Leave only files of these names, and write those that are not there."""
    for path in folder.iterdir():
        if path.name not in names:
            path.unlink()
    for name in names:
        if not (folder / name).exists():
            (folder / name).write_bytes(b"GGUF")


def relabel(folder: Path, dtype: str) -> None:
    """Give the first weight of the model another type in the header of its file."""
    path = folder / "model.safetensors"
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    name = next(name for name in header if name.endswith("weight"))
    header[name]["dtype"] = dtype
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def test_a_whole_model_passes(folder):
    check_model("models.m", settings(folder), PROMPT)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"quantization_config": {"quant_method": "awq", "bits": 4}},
            "its weights are quantised (awq, 4 bits)",
        ),
        (
            {"quantization_config": {"quant_method": "fp8"}},
            "its weights are quantised (fp8)",
        ),
        ({"quantization": {"bits": 8}}, "its weights are quantised (8 bits)"),
        (
            {"architectures": ["LlamaForSequenceClassification"]},
            "LlamaForSequenceClassification does not predict next tokens",
        ),
    ],
)
def test_a_config_of_another_kind_is_named_with_the_base_model(folder, changes, said):
    edit(folder, **changes)
    text = refusal(folder)
    assert said in text
    assert f"take the {'language ' * ('predict' in said)}model that it was" in text
    assert f"({BASE})" in text
    (folder / "README.md").unlink()
    assert BASE not in refusal(folder)


def test_an_unknown_architecture_is_named_with_the_supported_ones(folder):
    edit(folder, model_type="mamba")
    assert "unsupported architecture 'mamba'" in refusal(folder)
    assert "use ernie4_5_moe, exaone4, gemma2" in refusal(folder)


@pytest.mark.parametrize("dtype", ["U8", "F8_E4M3", "I32"])
def test_quantised_weights_without_a_word_in_the_config_are_named(folder, dtype):
    relabel(folder, "BF16")
    check_model("models.m", settings(folder), PROMPT)
    relabel(folder, dtype)
    assert f"weight has the type {dtype})" in refusal(folder)


def test_incomplete_weights_and_pointers_are_named(folder):
    path = folder / "model.safetensors"
    data = path.read_bytes()
    path.write_bytes(data + b"\n")
    check_model("models.m", settings(folder), PROMPT)  # loading refuses this
    path.write_bytes(data[:-1])
    size = len(data)
    assert f"is incomplete ({size - 1} of {size} bytes); download" in refusal(folder)
    for damaged in (data[:100], b"", b"x" * 100):
        path.write_bytes(damaged)
        said = f"is not a whole safetensors file ({len(damaged)} bytes)"
        assert said in refusal(folder)
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9")
    assert "fetch it with `git lfs pull`" in refusal(folder)


@pytest.mark.parametrize("names", [("m.Q4.gguf",), ("config.json", "m.Q4.gguf")])
def test_a_folder_of_gguf_weights_is_named(folder, names):
    only(folder, "tokenizer.json", "tokenizer_config.json", "README.md", *names)
    text = refusal(folder)
    assert "has its weights as GGUF (m.Q4.gguf), which is not read" in text
    assert f"({BASE}), or convert it as docs/models.md tells" in text
    assert "GGUF (m.Q4.gguf)" in refusal(folder / "m.Q4.gguf")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pytorch_model.bin", "only pickled weights (pytorch_model.bin)"),
        ("model.onnx", "only weights for ONNX (model.onnx)"),
        ("weights.npz", "only weights for MLX (weights.npz)"),
    ],
)
def test_weights_in_another_form_are_named(folder, name, said):
    kept = ("config.json", "tokenizer.json", "tokenizer_config.json")
    only(folder, *kept, name)
    assert said in refusal(folder)


def test_a_file_is_not_a_model(folder):
    said = "is a file; name the model's folder"
    assert said in refusal(folder / "model.safetensors")


@pytest.mark.parametrize("inside", ["checkpoint-500", f"snapshots/{REVISION}"])
def test_a_model_one_folder_further_is_named(folder, tmp_path, inside):
    place = tmp_path / "run" / inside
    place.parent.mkdir(parents=True)
    folder.rename(place)
    text = refusal(tmp_path / "run")
    assert text.endswith(f"has no config.json; the folder inside has one: name {place}")


def test_a_tokenizer_in_another_form_has_a_remedy(folder):
    (folder / "tokenizer.json").unlink()
    assert "has no tokenizer.json; copy it" in refusal(folder)
    (folder / "tokenizer.model").touch()
    assert "it has tokenizer.model, from which transformers" in refusal(folder)


@pytest.fixture
def cached(folder, tmp_path, monkeypatch) -> Path:
    """The folder of the model, as the hub's cache keeps it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    place = tmp_path / "hub/models--owner--name/snapshots" / REVISION
    place.parent.mkdir(parents=True)
    folder.rename(place)
    return place


def test_a_hub_model_is_checked_by_what_the_cache_holds(cached):
    check_model("models.m", settings("owner/name", REVISION), PROMPT)
    (cached / "model.safetensors").unlink()  # not yet downloaded
    check_model("models.m", settings("owner/name", REVISION), PROMPT)
    edit(cached, quantization_config={"quant_method": "gptq", "bits": 4})
    text = refusal("owner/name", REVISION)
    assert text.startswith("models.m.source: owner/name: its weights are quantised")
    check_model("models.m", settings("owner/name", "b" * 40), PROMPT)  # not there


def test_a_cached_model_without_markers_is_named(cached):
    for name in ("tokenizer.json", "tokenizer_config.json"):
        path = cached / name
        path.write_text(path.read_text().replace("think>", "thunk>"))
    assert "set start_of_thought and end_of_thought" in refusal("owner/name", REVISION)


def test_the_cache_is_where_the_library_keeps_models(cached):
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(
        "owner/name",
        "config.json",
        revision=REVISION,
        cache_dir=cached.parents[2],
    )
    assert cached_folder("owner/name", REVISION) == Path(str(found)).parent


def test_the_checks_import_no_slow_library(folder):
    code = (
        "import sys; from doubletake.model.folders import check_model; "
        f"check_model('m', {settings(folder)!r}, {PROMPT!r}); "
        "print({'torch', 'transformers', 'safetensors', 'polars'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "set()\n"
