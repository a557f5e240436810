"""A real Chromium, and explorers to look at in it."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkouts import ROOT
from chromium import Browser, start
from tiny_explorer import shown, write_made_up_study
from tiny_models import tokenizer_settings
from tiny_other_texts import write_tables

from doubletake.text.tokenizer import load_tokenizer
from explorer.parts import EXITS, RULES, TEXTS, VIEWS, needed_tables
from explorer.serve import server
from explorer.write import main

PACKAGES = ("chromium", "chromium-driver")
POCKET = ROOT / "resources/pocket"
MANY = 1319


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of this folder need the browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def installed() -> None:
    """Debian's browser and its driver."""
    if shutil.which("chromium") and shutil.which("chromedriver"):
        return
    install = ["apt-get", "install", "--yes", "--quiet", *PACKAGES]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.exit(f"no browser to test with: {done.stderr[-500:]}", returncode=1)


@pytest.fixture
def browser(installed: None) -> Iterator[Browser]:
    """A browser with a fresh profile; the test fails if its console holds an error."""
    running = start()
    yield running
    errors, requests = running.errors(), running.requests()
    running.quit()
    assert errors == []
    assert all(address.startswith(running.allowed) for address in requests), requests


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An explorer of two made-up studies: many thoughts, difficult texts."""
    folder = tmp_path_factory.mktemp("made-up")
    model = tokenizer_settings(POCKET)
    studies = [("first/<b>set</b>", MANY), ("second/set", 3)]
    for number, (_, count) in enumerate(studies):
        write_made_up_study(folder / str(number), load_tokenizer(model), count)
    write_tables(folder / "0", [RULES, TEXTS])
    views = (frozenset({RULES, TEXTS}), frozenset[str]())
    main(
        studies=[
            shown(folder / str(k), name, views[k])
            for k, (name, _) in enumerate(studies)
        ],
        models=[model, model],
        source=ROOT / "workflow/explorer",
        folder=folder / "explorer",
    )
    return folder / "explorer"


@pytest.fixture
def address(made_up: Path) -> Iterator[str]:
    """The loopback server of the made-up explorer."""
    with server(made_up, 0) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_port}/index.html"
        serving.shutdown()


@pytest.fixture(scope="session")
def partial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An explorer of two studies that lack tables: one has edits and exits alone."""
    folder = tmp_path_factory.mktemp("partial")
    model = tokenizer_settings(POCKET)
    for number in range(2):
        write_made_up_study(folder / str(number), load_tokenizer(model), 4)
    write_tables(folder / "0", [EXITS, TEXTS])
    made = frozenset({*needed_tables([]), "early_exit", "mistakes/edits"})
    nothing = frozenset(needed_tables([]))
    views = frozenset(VIEWS)
    for name, tables in (("some", (made, nothing)), ("none", (nothing, nothing))):
        main(
            studies=[
                shown(folder / str(k), f"{k}/set", views, tables[k]) for k in range(2)
            ],
            models=[model, model],
            source=ROOT / "workflow/explorer",
            folder=folder / name,
        )
    return folder
