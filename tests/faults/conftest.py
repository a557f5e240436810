"""The counts of the fault suite, and the run that was left alone."""

import pytest
from checkouts import Checkout, new_checkout, run_once, shared_folder
from fault_tools import Tally, results

TALLY = Tally()


@pytest.fixture(scope="session")
def tally() -> Tally:
    """The counts, shown when the suite ends."""
    return TALLY


@pytest.fixture(scope="session")
def undisturbed_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose study ran through; tests only copy it."""
    return run_once(shared_folder(tmp_path_factory), "undisturbed", smaller)


@pytest.fixture(scope="session")
def undisturbed(undisturbed_checkout: Checkout) -> dict[str, str]:
    """Digests of its results."""
    return results(undisturbed_checkout)


@pytest.fixture
def fresh(tmp_path) -> Checkout:
    """A checkout in which nothing has run."""
    checkout = new_checkout(tmp_path / "fresh")
    checkout.configure(smaller)
    return checkout


def smaller(config) -> None:
    """The small study with less to count: the faults matter here, not the findings."""
    config["intervals"]["bootstrap"] = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest comes first, beside all others."""
    items.sort(key=lambda item: "killed" not in item.name)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands its counts over."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["faults"] = TALLY.counts()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    """Add up what the workers counted."""
    TALLY.add(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_terminal_summary(terminalreporter) -> None:
    """Print the counts, also when a test failed."""
    if TALLY.injected:
        terminalreporter.section("faults")
        for line in TALLY.lines():
            terminalreporter.write_line(line)
