"""Runs of the whole workflow, as a user starts it, in folders of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import checkouts
import pytest
from checkouts import Checkout

from doubletake.store import VARIABLE


@pytest.fixture(scope="session")
def new_checkout() -> Callable[[Path], Checkout]:
    """Make a checkout with the small default study in an empty folder."""

    return checkouts.new_checkout


@pytest.fixture(scope="session")
def filled_store(tmp_path_factory) -> Path:
    """The store that the finished checkout filled; tests only copy it."""
    return checkouts.shared_folder(tmp_path_factory) / "store"


@pytest.fixture(scope="session")
def finished(filled_store) -> Checkout:
    """A checkout whose study has run; tests only read it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(VARIABLE, str(filled_store))
        return checkouts.run_once(filled_store.parent, "finished")


@pytest.fixture
def rerun(finished, tmp_path) -> Checkout:
    """A copy of the finished checkout that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path) -> Checkout:
    """A checkout in which nothing has run."""
    return checkouts.new_checkout(tmp_path / "fresh")
