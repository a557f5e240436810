"""Packages that a script imports when it starts; they cost seconds in every job."""

import re
import subprocess
import sys

from checkouts import ROOT, rule_texts

SCRIPTS = ROOT / "workflow/scripts"
MODELS = {"torch", "transformers", "sklearn", "scipy", "sympy"}
"""Packages that take from a quarter of a second to two seconds to import."""
MODEL = r"models?=\[?(model_settings|rules\.train_pocket|directory)"
"""In a rule whose script loads or makes a model."""
LATE = {"datasets", "math_verify", "vllm"}
"""Packages that no script imports at its start, because few runs need them."""
FITTING = {"sklearn", "pandas"}
"""Packages of `WITH_FITS`; scikit-learn takes a second and imports pandas."""
WITH_FITS = {"probing.measure", "value_vectors.measure", "pocket.evaluate"}
"""Scripts that fit something with scikit-learn."""
LOADING = """
import importlib, sys
for name in sys.argv[1:]:
    before = set(sys.modules)
    importlib.import_module(name)
    new = {module.partition(".")[0] for module in set(sys.modules) - before}
    print(name, *new)
"""
MODEL_LOADED = f"""
from doubletake.model.loading import load_decoder
from doubletake.study.settings import ModelSettings
folder = "{ROOT / "resources/pocket"}"
load_decoder(ModelSettings(folder, None, "float32", "cpu", "</think>", {{}}))
import sys
print("loaded", *{{module.partition(".")[0] for module in sys.modules}})
"""


def programs() -> set[str]:
    """Modules that a rule or a user starts."""
    return {
        f"{path.parent.name}.{path.stem}"
        for path in SCRIPTS.glob("*/*.py")
        if '__name__ == "__main__"' in path.read_text()
    }


def with_a_model() -> set[str]:
    """Scripts of rules that load or make a model; a digest of its files is no load."""
    texts = rule_texts().values()
    started = "\n".join(text for text in texts if re.search(MODEL, text))
    return {
        f"{folder}.{name}"
        for folder, name in re.findall(r"scripts/(\w+)/(\w+)\.py", started)
    }


def loaded(names: set[str]) -> dict[str, set[str]]:
    """Packages that each module imports in addition to those of the modules before."""
    return packages([sys.executable, "-c", LOADING, *sorted(names)])


def packages(command: list[str]) -> dict[str, set[str]]:
    """Packages by the name before them, in the lines that a command prints."""
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split() for line in result.stdout.splitlines()]
    return {name: set(found) for name, *found in lines}


def named(found: dict[str, set[str]], packages: set[str]) -> dict[str, set[str]]:
    """Which of these packages were imported, by the importing module."""
    return {name: new & packages for name, new in found.items() if new & packages}


def test_what_reads_only_tables_loads_no_library_of_models():
    models = with_a_model()
    assert {"traces.generate", "logit_lens.measure", "turns.locate"} <= models
    tables = programs() - models
    assert {"logit_lens.summarise", "shards.merge", "report.write"} <= tables
    plots = {name for name in tables if name.endswith(".plot")}
    assert plots
    assert named(loaded(tables - plots), MODELS | LATE | {"matplotlib"}) == {}
    assert named(loaded(plots), MODELS | LATE) == {}


def test_libraries_of_few_runs_are_loaded_where_they_are_used():
    models = with_a_model()
    assert models > WITH_FITS
    assert named(loaded(models - WITH_FITS), LATE | FITTING | {"matplotlib"}) == {}
    assert named(loaded(WITH_FITS), LATE | {"matplotlib"}) == {}


def test_a_model_is_loaded_without_libraries_that_no_decoder_needs():
    found = packages([sys.executable, "-c", MODEL_LOADED])
    assert {"torch", "transformers"} <= found["loaded"]
    assert named(found, LATE | FITTING | {"matplotlib"}) == {}
