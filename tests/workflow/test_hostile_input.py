"""Hostile input, from the config to the report, is shown as text and never executed."""

import json
import shutil
from html.parser import HTMLParser
from typing import Any

import pytest

from events.tables import EVENTS
from traces.tables import TRACES

SHELL = "$(touch owned) `touch owned` '; touch owned #"
MODEL = "my model; touch owned & # it's"
THOUGHTS = "thoughts '; touch owned' *[1] > owned.jsonl"
LABELS = "labels '| touch owned'.jsonl"
EVIL = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b]0;owned\x07 \u202e \x00",
    "../../../owned </style></td> --> ]]> &lt; {{ 7 * 7 }} {% raw %}",
    SHELL,
]


def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": "../../owned",
            "question": f"Tom has 12 pens, buys 7 more. How many pens? {evil}",
            "gold": "19",
            "thought": (
                f"12 + 7 = 19, so the answer is 19. {evil}\n"
                f"Wait, let me check that again. {evil} 7 + 12 = 19, so it is 19 pens."
            ),
            "answer": f"The answer is 19. {evil}",
        }
        for evil in EVIL
    ]


class Elements(HTMLParser):
    """The names of a page's elements and attributes, its images, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.images: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.images += [value for name, value in attrs if name == "src"]

    def handle_data(self, data):
        self.text += data


def test_hostile_thoughts_are_shown_and_never_obeyed(fresh, tiny_model):
    shutil.copytree(tiny_model, fresh.folder / MODEL)
    labels = fresh.folder / "resources/pocket/labelled_traces.jsonl"
    shutil.copy(labels, fresh.folder / LABELS)
    text = "".join(json.dumps(row) + "\n" for row in rows())
    (fresh.folder / THOUGHTS).write_text(text)

    def change(config: dict[str, Any]) -> None:
        config["studies"] = [{"model": "mine", "dataset": "theirs"}]
        config["models"]["mine"] = {
            "source": MODEL,
            "dtype": "float32",
            "device": "cpu",
            "answer_prompt": f"\n</think>\n\n{SHELL} {{x}} \\boxed{{",
        }
        config["datasets"]["theirs"] = {"source": THOUGHTS, "thoughts": True}
        config["early_exit"]["answer_stop"] = f"}} {SHELL}"
        config["events"]["labels"] = LABELS
        config["shards"] = 1

    fresh.configure(change)
    before = {path.name for path in fresh.folder.iterdir()}
    result = fresh.run()
    assert result.returncode == 0, result.stdout[-8000:]
    study = fresh.study("mine/theirs")
    traces = TRACES.read(study / "traces.parquet")
    assert set(traces["trace"]) == {f"{k:05d}/0" for k in range(len(EVIL))}
    for written, row in zip(traces["text"], rows(), strict=True):
        assert row["thought"] in written
    assert EVENTS.read(study / "events.parquet").filter(kind="backtrack").height > 0
    made = {path.name for path in fresh.folder.iterdir()} - before
    assert made <= {"results", ".snakemake"}
    assert not list(fresh.folder.rglob("owned"))
    page = (fresh.folder / "results/report.html").read_text()
    elements = Elements()
    elements.feed(page)
    assert not elements.names & {"script", "iframe", "object", "embed", "link"}
    assert not [name for name in elements.attributes if name.startswith("on")]
    assert elements.images
    assert all(src.startswith("data:image/svg+xml;") for src in elements.images)
    assert "<script>alert(1)</script>" in elements.text
    assert "{{ 7 * 7 }}" in elements.text
    logs = [path.read_text() for path in fresh.folder.glob("results/**/*.log")]
    for shown in (page, result.stdout, *logs):
        assert not set(shown) & set("\x00\x07\x1b\u202e")


def entry(*path: str, value: Any):
    """A change of the config: the path of keys, and the new value."""

    def change(config: dict[str, Any]) -> None:
        place = config
        for key in path[:-1]:
            place = place.setdefault(key, {})
        place[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (entry("models", "../../x", value={}), "../../x"),
        (entry("models", "$(touch owned)", value={}), "touch owned"),
        (entry("datasets", "a\n", value={"source": "x.jsonl"}), "Error"),
        (entry("datasets", "a" * 200, value={"source": "x.jsonl"}), "too long"),
        (entry("models", "pocket", "source", value="a\0b"), "no such file or folder"),
        (entry("models", "pocket", "source", value="a" * 5000), "no such file"),
        (entry("events", "labels", value="{model}.jsonl"), "holds {, which"),
        (entry("events", "labels", value="$(touch owned).jsonl"), "holds $, which"),
        (entry("events", "labels", value='"; x.jsonl'), 'holds ", which'),
        (entry("models", "pocket", "source", value="`x`"), "holds `, which"),
        (entry("models", "pocket", "source", value="\x1b[2Jx"), "no such file"),
        (entry("models", "pocket", "revision", value="a" * 40 + "\n"), "too long"),
    ],
)
def test_a_hostile_config_is_refused_before_any_job(fresh, change, message):
    for name in ("{model}.jsonl", "$(touch owned).jsonl", '"; x.jsonl', "`x`"):
        (fresh.folder / name).touch()
    fresh.configure(change)
    result = fresh.ask()
    assert result.returncode != 0
    assert message in result.stdout
    assert "Traceback" not in result.stdout
    assert "\x1b" not in result.stdout
    assert not (fresh.folder / "results").exists()
    assert not list(fresh.folder.rglob("owned"))
