"""Fixtures that several test files share."""

import os
import shutil
from pathlib import Path

import pytest
from checkouts import ROOT, Checkout, new_checkout, run_once, shared_folder
from tiny_models import write_model, write_tokenizer

from doubletake.running.store import VARIABLE
from doubletake.study.settings import ModelSettings

pytest_plugins = ["fault_counts"]
collect_ignore = ["new_experiment"]

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Scripts that a test starts by hand.
os.environ["PYTHONPATH"] = str(ROOT / "workflow/scripts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that run the workflow come first, and last those that fill the gaps.

    A test of the first kind takes a minute or more; begun last, it would be waited for
    while other workers have nothing to do. Before the files that need the finished
    study come those that need a fresh one: workers then do not wait for each other.
    """
    ranks: dict[Path, int] = {}
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        rank = 1 if "finished" in fixtures else 0 if "fresh" in fixtures else 2
        ranks[item.path] = min(rank, ranks.get(item.path, rank))
    items.sort(key=lambda item: ranks[item.path])


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a random three-layer Llama with tokenizer and chat template."""
    import torch

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("tiny-model")
    write_model(folder, write_tokenizer(folder))
    return folder


@pytest.fixture(scope="session")
def model(tiny_model: Path) -> ModelSettings:
    """What loads the tiny model."""
    return ModelSettings(str(tiny_model), None, "float32", "cpu", "</think>", {})


@pytest.fixture(scope="session")
def architectures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny random models, by `tiny_architectures.ARCHITECTURES`."""
    from tiny_architectures import configurations, write_architecture

    folders = {}
    for name, config in configurations().items():
        folders[name] = tmp_path_factory.mktemp(name)
        write_architecture(config, folders[name])
    return folders


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """Folder of real data, named by DOUBLETAKE_DATA."""
    folder = os.environ.get("DOUBLETAKE_DATA")
    if not folder:
        pytest.skip("DOUBLETAKE_DATA names no folder of real data")
    return Path(folder)


@pytest.fixture(scope="session")
def tokenizers_folder() -> Path:
    """Folder of real tokenizers, named by DOUBLETAKE_TOKENIZERS."""
    folder = os.environ.get("DOUBLETAKE_TOKENIZERS")
    if not folder:
        pytest.skip("DOUBLETAKE_TOKENIZERS names no folder of real tokenizers")
    return Path(folder)


@pytest.fixture
def fresh(tmp_path: Path) -> Checkout:
    """A checkout with the small study in which nothing has run."""
    return new_checkout(tmp_path / "fresh")


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The store that the finished checkout filled; tests only copy it."""
    return shared_folder(tmp_path_factory) / "store"


@pytest.fixture(scope="session")
def finished(filled_store: Path) -> Checkout:
    """A checkout whose study has run; tests only read it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(filled_store))
        return run_once(filled_store.parent / "finished")


@pytest.fixture
def rerun(finished: Checkout, tmp_path: Path) -> Checkout:
    """A copy of the finished checkout that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")
