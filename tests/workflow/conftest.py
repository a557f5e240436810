"""Runs of the whole workflow, as a user starts it, in folders of their own."""

import shutil
from collections.abc import Callable
from pathlib import Path

import checkouts
import pytest
from checkouts import Checkout


@pytest.fixture(scope="session")
def new_checkout() -> Callable[[Path], Checkout]:
    """Make a checkout with the small default study in an empty folder."""

    return checkouts.new_checkout


@pytest.fixture(scope="session")
def finished(tmp_path_factory, new_checkout) -> Checkout:
    """A checkout whose study has run; tests only read it."""
    checkout = new_checkout(tmp_path_factory.mktemp("finished"))
    result = checkout.run()
    assert result.returncode == 0, result.stdout[-8000:]
    return checkout


@pytest.fixture
def rerun(finished, tmp_path) -> Checkout:
    """A copy of the finished checkout that a test may change."""
    shutil.copytree(finished.folder, tmp_path / "copy", symlinks=True)
    return Checkout(tmp_path / "copy")


@pytest.fixture
def fresh(tmp_path) -> Checkout:
    """A checkout in which nothing has run."""
    return checkouts.new_checkout(tmp_path / "fresh")
