"""A small experiment, as a contributor would add it: are long thoughts right?

This module holds its files, and the edits that it needs in existing files.
"""

from pathlib import Path

NAME = "length"
FILES = {
    "workflow/scripts/length/__init__.py": '"""Length: are long thoughts right?"""\n',
    "workflow/scripts/length/tables.py": '''"""Thoughts by their length."""

from doubletake.tables.table import COUNT, REAL, Column, Table

LENGTH = Table(
    "length",
    (
        Column("quarter", COUNT, "0 to 3, from short to long"),
        Column("thoughts", COUNT, "thoughts in the quarter"),
        Column("tokens", REAL, "mean length", unit="tokens"),
        Column("accuracy", REAL, "share of right answers"),
    ),
    holds="accuracy by length of the thought",
)
''',
    "workflow/scripts/length/declaration.py": '''"""What this experiment leaves."""

from doubletake.study.declaration import Experiment, Figure
from length.tables import LENGTH

DECLARATION = Experiment(
    name="length",
    order=70,
    title="Length",
    question="Are long thoughts right less often?",
    holds="accuracy by length of the thought",
    tables=(LENGTH,),
    figures=(Figure("accuracy", "Accuracy", "Share right, by quarter."),),
)
''',
    "workflow/scripts/length/length.schema.yaml": """description: Thoughts by length.
type: object
additionalProperties: false
required: [parts]
properties:
  parts:
    description: Parts of equal counts.
    type: integer
    minimum: 2
""",
    "workflow/scripts/length/measure.py": '''"""Are long thoughts right less often?"""

from pathlib import Path

import polars as pl

from doubletake.running.logs import job
from length.tables import LENGTH
from traces.tables import TRACES


def by_length(traces: pl.DataFrame, parts: int) -> pl.DataFrame:
    """Rows of `LENGTH`."""
    rows = traces.with_columns(tokens=pl.col("completion_ids").list.len())
    rows = rows.sort("tokens", "trace").with_row_index("place")
    quarter = (pl.col("place") * parts // rows.height).cast(pl.Int32)
    return (
        rows.group_by(quarter=quarter)
        .agg(
            thoughts=pl.len().cast(pl.Int32),
            tokens=pl.col("tokens").mean(),
            accuracy=pl.col("correct").mean(),
        )
        .sort("quarter")
    )


if __name__ == "__main__":
    with job(snakemake.log[0]):
        traces = TRACES.read(Path(snakemake.input.traces))
        rows = by_length(traces, snakemake.params.parts)
        LENGTH.write(rows, Path(snakemake.output.table))
''',
    "workflow/scripts/length/plot.py": '''"""Draw the accuracy by length."""

from pathlib import Path

from doubletake.page.plots import new_figure, save_figure
from doubletake.running.logs import job
from length.tables import LENGTH

if __name__ == "__main__":
    with job(snakemake.log[0]):
        rows = LENGTH.read(Path(snakemake.input.table))
        figure, axes = new_figure()
        axes[0, 0].plot(rows["tokens"], rows["accuracy"], "o")
        save_figure(figure, Path(snakemake.output.accuracy))
''',
    "workflow/scripts/length/page.py": '''"""What the page says of length."""

from doubletake.page.sections import Section, Sheet
from doubletake.page.study_data import StudyData
from doubletake.page.wording import percent, plural


def headline(data: StudyData) -> str:
    """The longest quarter."""
    last = data.tables["length"].row(-1, named=True)
    n = plural(last["thoughts"], "thought")
    return f"Of the longest {n}, {percent(last['accuracy'])} are right."


def sheets(data: StudyData) -> list[Sheet]:
    """No table."""
    return []


def findings(data: StudyData) -> list[str]:
    """Nothing more."""
    return []


def cases(data: StudyData) -> str:
    """How many thoughts."""
    return f"{plural(int(data.tables['length']['thoughts'].sum()), 'thought')}."


SECTION = Section(headline, findings, sheets, cases={"accuracy": cases})
''',
    "rules/length.smk": '''"""Length: are long thoughts right?"""


rule measure_length:
    input:
        traces="results/{model}/{dataset}/traces.parquet",
    output:
        table="results/{model}/{dataset}/length.parquet",
    log:
        "results/{model}/{dataset}/logs/length/measure.log",
    localrule: True
    params:
        parts=config["length"]["parts"],
        code=code_digest("length/measure"),
    script:
        "../workflow/scripts/length/measure.py"


rule plot_length:
    input:
        table=rules.measure_length.output.table,
    output:
        **figures_of("length"),
    log:
        "results/{model}/{dataset}/logs/length/plot.log",
    localrule: True
    params:
        captions=captions_of("length"),
        code=code_digest("length/plot"),
    script:
        "../workflow/scripts/length/plot.py"
''',
    "tests/length/test_measure.py": '''"""Thoughts by their length."""

import polars as pl

from length.measure import by_length


def test_quarters():
    rows = {"trace": ["a", "b"], "completion_ids": [[1], [1, 2]]}
    table = by_length(pl.DataFrame(rows | {"correct": [True, False]}), 2)
    assert table["accuracy"].to_list() == [1.0, 0.0]
''',
}
EDITS = {
    "Snakefile": (
        'include: "rules/attention.smk"\n',
        'include: "rules/attention.smk"\ninclude: "rules/length.smk"\n',
    ),
    "config/config.yaml": ("report:\n", "length:\n  parts: 4\n\nreport:\n"),
}
"""A text of each file, and the text that replaces it."""
BY_COMMAND = ("README.md", "config/README.md", "docs/tables.md")
"""Files that `make documents` writes."""


def add(folder: Path) -> None:
    """Make the files and the edits in a copy of the repository."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert not path.exists()
        path.write_text(text)
    for name, (old, new) in EDITS.items():
        path = folder / name
        text = path.read_text()
        assert text.count(old) == 1, name
        path.write_text(text.replace(old, new))
