"""Generates parts of the documents from the code (`make documents`).

A generated part lies between two markers of a document. A test compares the text.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pocket_documents
import yaml
from checkouts import ROOT

from doubletake.running.digests import SCRIPTS
from doubletake.study.config_schema import config_schema
from doubletake.study.declaration import Stage
from doubletake.study.registry import stages, tables
from doubletake.tables.table import Column, Table

HEAD = "| key | meaning | unit | default |\n|---|---|---|---|"
LONGEST = 70  # characters of a default that are printed
NAMED = ("models", "datasets")
"""Sections whose entries have names that the user chooses."""


def replaced(text: str, name: str, made: str) -> str:
    """A document with new text between its markers of this name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    assert rest, f"no marker {begin}"
    assert tail or rest.endswith(end), f"no marker {end}"
    return f"{head}{begin}\n{made}\n{end}{tail}"


def config_tables() -> str:
    """Every key of the config, from the schemas."""
    schema = config_schema()
    default = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
    lines = [HEAD]
    for name, part in schema["properties"].items():
        if name in NAMED:
            lines.append(f"| **`{name}.<name>`** | | | |")
            keys = part["additionalProperties"]["properties"]
            lines += _rows(keys, {})
        elif part["type"] == "object":
            lines.append(f"| **`{name}`** | {_cell(part['description'])} | | |")
            lines += _rows(part["properties"], default[name])
        else:
            lines += _rows({name: part}, default)
    return "\n".join(lines)


def _rows(keys: dict[str, Any], default: dict[str, Any]) -> Iterator[str]:
    for key, part in keys.items():
        value = default.get(key, part.get("default", ""))
        shown = "" if value == "" and "default" not in part else _value(value)
        meaning, unit = _cell(part["description"]), part.get("unit", "")
        yield f"| `{key}` | {meaning} | {unit} | {shown} |"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value)
    return "as in `config/config.yaml`" if len(text) > LONGEST else f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def results_table() -> str:
    """Result files of a study, a row per stage."""
    lines = ["| stage | holds | files |", "|---|---|---|"]
    for stage in stages():
        lines.append(f"| `{stage.name}` | {stage.holds} | {_files_in_short(stage)} |")
    return "\n".join(lines)


def _files_in_short(stage: Stage) -> str:
    """Files of a stage by folder, without the files that every stage has."""
    each = {f"{stage.name}/{name}.parquet" for name in ("runs", "verification")}
    names = [name for name in stage.files(["{shard}"]) if name not in each]
    top = [f"`{name}`" for name in names if "/" not in name]
    inner = [f"`{name.partition('/')[2]}`" for name in names if "/" in name]
    folder = [f"in `{stage.name}/`: {', '.join(inner)}"] if inner else []
    return "; ".join([*top, *folder])


def columns_of_all() -> str:
    """All tables with all columns."""
    parts = [_stage_in_full(stage) for stage in stages()]
    declared = {table.name for stage in stages() for table in stage.all_tables}
    others = [table for name, table in tables().items() if name not in declared]
    parts.append("## Beside the studies")
    parts += [
        _table_in_full(table, f"results/{table.name}.parquet") for table in others
    ]
    return "\n\n".join(parts)


def _stage_in_full(stage: Stage) -> str:
    tables = [
        _table_in_full(table, table.file(stage.name)) for table in stage.all_tables
    ]
    files = [f"`{artifact.name}`: {artifact.meaning}." for artifact in stage.artifacts]
    return "\n\n".join(
        [f"## {stage.title}", f"What it holds: {stage.holds}.", *files, *tables]
    )


def _table_in_full(table: Table, path: str) -> str:
    lines = ["| column | type | unit | meaning |", "|---|---|---|---|"]
    lines += [_column_row(column) for column in table.columns]
    rows = "\n".join(lines)
    return f"### `{path}`\n\n{table.holds[0].upper()}{table.holds[1:]}.\n\n{rows}"


def _column_row(column: Column) -> str:
    kind = str(column.dtype) + (" or null" if column.nullable else "")
    return f"| `{column.name}` | {kind} | {column.unit} | {_cell(column.meaning)} |"


def folder_tree() -> str:
    """Folders of the scripts with a phrase each; stages first, in their order."""
    order = [stage.name for stage in stages()]
    rooms = sorted(path.parent.name for path in SCRIPTS.glob("*/__init__.py"))
    rooms.sort(key=lambda room: order.index(room) if room in order else len(order))
    packages = sorted(path.parent.name for path in SCRIPTS.glob("doubletake/*/*.py"))
    lines = ["```", "workflow/scripts/"]
    lines += [_line(room, 2) for room in rooms if room != "doubletake"]
    lines.append(_line("doubletake", 2))
    lines += [_line(f"doubletake/{name}", 4) for name in dict.fromkeys(packages)]
    return "\n".join([*lines, "```"])


def _line(folder: str, indent: int) -> str:
    name = f"{' ' * indent}{folder.rpartition('/')[2]}/"
    return f"{name:<20} {_phrase(SCRIPTS / folder / '__init__.py')}"


def _phrase(path: Path) -> str:
    """First line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def file_map() -> str:
    """All modules of the scripts with a phrase each."""
    parts = []
    folders = sorted({path.parent for path in SCRIPTS.rglob("*.py")})
    for folder in folders:
        name = folder.relative_to(SCRIPTS)
        lines = [f"## `{name}/`", "", _phrase(folder / "__init__.py"), ""]
        lines += [
            f"- `{path.name}`: {_phrase(path)}"
            for path in sorted(folder.glob("*.py"))
            if path.name != "__init__.py"
        ]
        parts.append("\n".join(lines).rstrip())
    return "\n\n".join(parts)


PARTS = {
    "config/README.md": {"keys": config_tables},
    "README.md": {"results": results_table},
    "docs/tables.md": {"tables": columns_of_all},
    "docs/modules.md": {"modules": file_map},
    "CONTRIBUTING.md": {"tree": folder_tree},
    "docs/pocket.md": pocket_documents.PAGE,
    "resources/pocket/README.md": pocket_documents.CARD,
}
"""The function of each generated part, by document and marker."""


def written(document: str) -> str:
    """A document with its generated parts."""
    text = (ROOT / document).read_text(encoding="utf-8")
    for name, make in PARTS[document].items():
        text = replaced(text, name, make())
    return text


def main() -> None:
    """Write all documents."""
    for document in PARTS:
        Path(ROOT / document).write_text(written(document), encoding="utf-8")


if __name__ == "__main__":
    main()
