"""Which rules run again after a change: the changes, and the table of docs/reruns.md.

`make documents` calls this script, which asks Snakemake and writes the table.
`test_reruns.py` asks Snakemake again and compares.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkouts import ROOT, Checkout, new_checkout

DOCUMENT = ROOT / "docs/reruns.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
ALL_RULES = "All rules of the study: "
ALL = "all"
LONG = 12
"""A cell with more rules names the rules that do not run, if they are fewer."""

Change = Callable[[Checkout], None]


def key(path: str, value: Any) -> Change:
    """Set a key of the config."""
    *sections, name = path.split(".")

    def change(checkout: Checkout) -> None:
        def edit(config: dict[str, Any]) -> None:
            for section in sections:
                config = config[section]
            assert config[name] != value
            config[name] = value

        checkout.configure(edit)

    return change


def edit(path: str, added: str = "EDITED = True") -> Change:
    """Add a line to a script or module."""

    def change(checkout: Checkout) -> None:
        file = checkout.folder / "workflow/scripts" / path
        file.write_text(f"{file.read_text()}\n{added}\n")

    return change


def reword(path: str) -> Change:
    """Change the docstring of a script or module."""

    def change(checkout: Checkout) -> None:
        file = checkout.folder / "workflow/scripts" / path
        text = file.read_text()
        assert text.startswith('"""')
        file.write_text(text.replace('"""', '"""Edited: ', 1))

    return change


def words(path: str, old: str, new: str) -> Change:
    """Change a text that a script or module holds as a value."""

    def change(checkout: Checkout) -> None:
        file = checkout.folder / "workflow/scripts" / path
        text = file.read_text()
        assert text.count(old) == 1
        file.write_text(text.replace(old, new))

    return change


def replace(path: str) -> Change:
    """Give an input file other content."""

    def change(checkout: Checkout) -> None:
        file = checkout.folder / path
        file.write_bytes(file.read_bytes() + b"\n")

    return change


def other_revision(checkout: Checkout) -> None:
    """Mark the results as made with a model of the hub, then pin another revision."""

    def pin(revision: str) -> None:
        hub = {"source": "doubletake/pocket", "revision": revision}
        checkout.configure(lambda config: config["models"]["pocket"].update(hub))

    pin("a" * 40)
    touched = checkout.ask("--touch")
    assert touched.returncode == 0, touched.stdout
    assert planned(checkout) == []
    pin("b" * 40)


def remove(path: str) -> Change:
    """Remove a result."""
    return lambda checkout: (checkout.study() / path).unlink()


VALUES: dict[str, Any] = {
    "datasets.pocket-problems.limit": 13,
    "generation.seed": 1,
    "matches.depth": 3,
    "activations.calibration_share": 0.5,
    "turns.backtracks": "every",
    "early_exit.max_answer_tokens": 5,
    "early_exit.groups": [2, 3],
    "repetition.most": 2,
    "trial_points.every": 16,
    "exit_probes.shuffles": 2,
    "exit_policies.seed": 1,
    "exit_policies.tolerance": 0.05,
    "exit_guarantees.delta": 0.2,
    "decoding_actions.thoughts": 20,
    "online_exit.thoughts": 10,
    "logit_lens.top": 3,
    "probing.shuffles": 2,
    "value_vectors.tokens": 3,
    "wrong_samples.strength": 0.1,
    "resampling.samples": 4,
    "resampling.stable_share": 0.7,
    "faithfulness.thoughts": 3,
    "mistakes.samples": 2,
    "injection.distance": 16,
    "ablation.thoughts": 10,
    "steering.contexts": 2,
    "steering.thoughts": 3,
    "steering.tolerance": 0.2,
    "loop.strength": 0.1,
    "loop.words": 5,
    "verification.minimum": 6,
    "attribution.top_words": 3,
    "look_back.distance_ratio": 2.0,
    "exact_attribution.random": 6,
    "intervals.least_problems": 4,
    "reproduction.published_recipe": "resources",
    "batch_memory": 0.05,
    "directions.shuffles": 2,
    "report.examples": 5,
    "explorer.views": ["exits"],
    "explorer.only_made": True,
}
EDITED = (
    "early_exit/measure.py",
    "logit_lens/plot.py",
    "doubletake/model/continuous_batching.py",
    "doubletake/model/packed_rows.py",
    "doubletake/stats/intervals.py",
    "logit_lens/tables.py",
    "doubletake/page/wording.py",
)
COMMENTED = ("logit_lens/plot.py", "doubletake/model/continuous_batching.py")
REWORDED = ("logit_lens/plot.py", "doubletake/study/settings.py")
REPLACED = (
    "resources/pocket/model.safetensors",
    "resources/pocket/generation_config.json",
    "resources/pocket/problems.jsonl",
)
REMOVED = ("early_exit/confidence.svg", "turns.parquet")

CHANGES: dict[str, Change] = {
    "nothing": lambda _: None,
    **{f"config key `{path}`": key(path, value) for path, value in VALUES.items()},
    "config key `models.pocket.revision`": other_revision,
    **{f"code of `{path}`": edit(path) for path in EDITED},
    **{f"comment in `{path}`": edit(path, "# Edited.") for path in COMMENTED},
    **{f"docstring of `{path}`": reword(path) for path in REWORDED},
    "meaning of a column": words("traces/tables.py", '"id: problem/sample"', '"other"'),
    "caption of a figure": words(
        "probing/declaration.py", "needs no thinking", "asks no thinking"
    ),
    **{f"content of `{path}`": replace(path) for path in REPLACED},
    **{f"`{path}` removed": remove(path) for path in REMOVED},
}


def planned(checkout: Checkout, *arguments: str) -> list[str]:
    """Names of the rules that a run would execute, in alphabetical order."""
    return sorted(jobs(checkout.ask("-n", *arguments).stdout).keys() - {"all"})


def jobs(plan: str) -> dict[str, int]:
    """Number of jobs by rule, from what Snakemake says of a dry run."""
    assert "Error" not in plan, plan
    table = plan.partition("Job stats:")[2].partition("total")[0]
    rows = re.findall(r"^(\w+) +(\d+)$", table, re.MULTILINE)
    return {rule: int(count) for rule, count in rows}


def all_rules(checkout: Checkout) -> list[str]:
    """Names of all rules of the study, in alphabetical order."""
    return planned(checkout, "--forceall")


def documented_rules() -> list[str]:
    """All rules of the study, as the line above the table lists them."""
    line = re.search(rf"^{ALL_RULES}(.+)$", _document(), re.MULTILINE)
    assert line, f"{DOCUMENT} has no line that begins with {ALL_RULES!r}"
    return _names(line[1])


def documented() -> dict[str, list[str]]:
    """Rules by change, as the table of the document lists them."""
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", _document(), re.MULTILINE)[1:]
    every = documented_rules()
    return {
        change: rules_of_cell(cell, every)
        for change, cell in rows
        if set(change) != {"-"}
    }


def rules_of_cell(cell: str, every: list[str]) -> list[str]:
    """The rules that a cell of the table means."""
    names = _names(cell)
    if not cell.startswith(ALL):
        return names
    assert set(names) <= set(every)
    return [rule for rule in every if rule not in names]


def _document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def _names(text: str) -> list[str]:
    return re.findall(r"`(\w+)`", text)


def _listed(rules: list[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in rules) or "nothing"


def cell(rules: list[str], every: list[str]) -> str:
    """The rules that run, or the rules that do not run if that list is shorter."""
    others = [rule for rule in every if rule not in rules]
    if len(rules) > LONG and len(others) < len(rules):
        return f"{ALL} but {_listed(others)}" if others else ALL
    return _listed(rules)


def table(found: dict[str, list[str]], every: list[str]) -> str:
    """The line with all rules, and the table, in Markdown."""
    lines = [f"{ALL_RULES}{_listed(every)}.", ""]
    lines += ["| what changes | what runs again |", "|---|---|"]
    lines += [f"| {change} | {cell(rules, every)} |" for change, rules in found.items()]
    return "\n".join(lines)


def main() -> None:
    """Run the small study, ask for every change, write the table."""
    with tempfile.TemporaryDirectory() as folder:
        finished = new_checkout(Path(folder) / "finished")
        result = finished.run()
        assert result.returncode == 0, result.stdout[-4000:]
        every = all_rules(finished)
        found = {}
        for name, change in CHANGES.items():
            copy = Checkout(Path(folder) / "copy")
            shutil.copytree(finished.folder, copy.folder, symlinks=True)
            change(copy)
            found[name] = planned(copy)
            shutil.rmtree(copy.folder)
            print(name, len(found[name]), file=sys.stderr)
    head, tail = _document().partition(BEGIN)[0], _document().partition(END)[2]
    text = f"{head}{BEGIN}\n{table(found, every)}\n{END}{tail}"
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
