"""Bad input gives one clear message and an exit status other than 0."""

from typing import Any

import pytest


def entry(path: str, value: Any):
    """A change of the config: a dotted path and its new value."""

    def change(config: dict[str, Any]) -> None:
        *parents, last = path.split(".")
        place = config
        for key in parents:
            place = place[int(key)] if key.isdigit() else place[key]
        place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (entry("early_exit.grups", [1]), "grups"),
        (entry("models.pocket.sauce", "x"), "sauce"),
        (entry("early_exit.verified_traces", 8), "verified_traces"),
        (entry("verification.share", 1.5), "1.5 is greater than the maximum of 1"),
        (entry("verification.minimum", 0), "0 is less than the minimum of 1"),
        (entry("studies.0.model", "pocked"), "'pocked' is not defined under models"),
        (entry("studies.0.dataset", "gsm9k"), "'gsm9k' is not defined under datasets"),
        (entry("models.pocket.source", "gone"), "models.pocket.source: no such file"),
        (
            entry("datasets.pocket-problems.source", "gone.jsonl"),
            "datasets.pocket-problems.source: no such file",
        ),
        (entry("datasets.pocket-problems.limit", 0), "0 is less than the minimum of 1"),
        (entry("shards", 0), "0 is less than the minimum of 1"),
        (entry("generation.top_p", 1.5), "1.5 is greater than the maximum of 1"),
        (entry("generation.backend", "vlm"), "'vlm' is not one of"),
        (entry("models.pocket.end_of_thought", "mull"), "cannot be told from 'mull'"),
        (
            entry("attribution.stop_words", "gone.txt"),
            "attribution.stop_words: no such",
        ),
        (entry("attribution.kinds", ["control"]), "attribution"),
        (entry("events.labels", "gone.jsonl"), "events.labels: no such file: gone"),
        (entry("early_exit.answer_prompt", "The answer is"), "end-of-thought marker"),
        (
            entry("reproduction.published_recipe", "gone"),
            "reproduction.published_recipe: no such folder: gone",
        ),
    ],
)
def test_a_bad_config_is_refused_before_any_job(fresh, change, message):
    fresh.configure(change)
    result = fresh.ask()
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout
    assert not (fresh.folder / "results").exists()


def test_a_malformed_row_is_named_with_its_line(fresh):
    path = fresh.folder / "resources/pocket/problems.jsonl"
    lines = path.read_text().splitlines()
    lines[4] = lines[4][:-9]
    path.write_text("\n".join(lines))
    result = fresh.run()
    assert result.returncode != 0
    assert "problems.jsonl, line 5: not valid JSON" in result.stdout
    assert not (fresh.study() / "problems.parquet").exists()


def test_incomplete_weights_are_refused_before_any_job(fresh):
    path = fresh.folder / "resources/pocket/model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])
    result = fresh.ask()
    assert result.returncode != 0
    said = "models.pocket.source: resources/pocket: model.safetensors is incomplete"
    assert said in result.stdout
    assert not (fresh.folder / "results").exists()


def test_weights_that_only_loading_finds_damaged_are_named(fresh):
    path = fresh.folder / "resources/pocket/model.safetensors"
    path.write_bytes(path.read_bytes() + b"more")
    result = fresh.run("traces")
    assert result.returncode != 0
    assert "resources/pocket: damaged safetensors file" in result.stdout
    assert (fresh.study() / "problems.parquet").exists()
    assert not (fresh.study() / "traces.parquet").exists()


@pytest.mark.parametrize("alone", [False, True])
def test_an_adapter_is_refused_before_any_job(fresh, alone):
    folder = fresh.folder / "resources/pocket"
    if alone:
        for name in ("config.json", "model.safetensors"):
            (folder / name).unlink()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "a/b"}')
    (folder / "adapter_model.safetensors").write_bytes(b"")
    result = fresh.ask()
    assert result.returncode != 0
    said = "models.pocket.source: resources/pocket has an adapter"
    assert f"{said}{'' if alone else ' beside its weights'} (" in result.stdout
    assert "from_pretrained('a/b')" in result.stdout
    assert "Traceback" not in result.stdout
    assert not (fresh.folder / "results").exists()
