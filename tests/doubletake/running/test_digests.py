"""Digests follow imports, and ignore comments and docstrings."""

import ast
import hashlib
from functools import cache
from pathlib import Path

import pytest

from doubletake.running import digests


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    (tmp_path / "doubletake/deep").mkdir(parents=True)
    for name, source in {
        "job.py": "from doubletake.first import x\nimport os\n",
        "other.py": "import doubletake.third\n",
        "doubletake/first.py": "from doubletake import second\n",
        "doubletake/second.py": "def f():\n    from doubletake.deep import fourth\n",
        "doubletake/deep/fourth.py": "import doubletake.deep.fifth\n",
        "doubletake/deep/fifth.py": "",
        "doubletake/third.py": "",
    }.items():
        (tmp_path / name).write_text(source)
    monkeypatch.setattr(digests, "SCRIPTS", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "job_changes", "other_changes"),
    [
        ("first", True, False),
        ("second", True, False),
        ("deep/fourth", True, False),
        ("deep/fifth", True, False),
        ("third", False, True),
    ],
)
def test_a_digest_follows_imports(scripts, module, job_changes, other_changes):
    before = digests.code_digest("job"), digests.code_digest("other")
    (scripts / f"doubletake/{module}.py").write_text("x = 1\n")
    after = digests.code_digest("job"), digests.code_digest("other")
    assert (before[0] != after[0], before[1] != after[1]) == (
        job_changes,
        other_changes,
    )


def test_file_digest_is_sha256(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert digests.file_digest(tmp_path / "a") == hashlib.sha256(b"abc").hexdigest()


MODULE = '''"""What a module is for."""

from dataclasses import dataclass


@dataclass
class Sizes:
    """Sizes of things."""

    width: int = 1
    """In metres."""

    def area(self) -> int:
        """Width times width."""
        if self.width < 0:
            """Words where a statement may stand."""
            return 0
        return self.width**2  # square
'''
WORDS = (
    "What a module is for.",
    "Sizes of things.",
    "In metres.",
    "Width times width.",
    "Words where a statement may stand.",
    "# square",
)


@pytest.fixture
def digest_of(scripts):
    """Write the script `job` or a module; give the digest of `job`."""

    def write(path: str, source: str) -> str:
        (scripts / path).write_text(source)
        return digests.code_digest("job")

    return write


@pytest.mark.parametrize("path", ["job.py", "doubletake/second.py"])
def test_comments_and_docstrings_do_not_count(digest_of, path):
    before = digest_of(path, MODULE)
    for words in WORDS:
        assert MODULE.count(words) == 1
        assert digest_of(path, MODULE.replace(words, "# Other words.")) == before
    assert digest_of(path, MODULE.replace('"""In metres."""', "")) == before
    assert digest_of(path, MODULE.replace("width: int = 1", "width: int = (1)")) == (
        before
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("= 1", "= 2"),
        ("= 1", "= True"),
        ("= 1", "= 1.0"),
        ("= 1", "= '1'"),
        ("@dataclass\n", ""),
        ("self.width**2", "self.width * 2"),
        ("return 0", "return '0'"),
        ("return 0", "pass"),
        ("area", "size"),
    ],
)
@pytest.mark.parametrize("path", ["job.py", "doubletake/second.py"])
def test_code_counts(digest_of, path, old, new):
    assert old in MODULE
    assert digest_of(path, MODULE) != digest_of(path, MODULE.replace(old, new))


def test_strings_in_expressions_count(digest_of):
    assert digest_of("job.py", 'f("a")\n') != digest_of("job.py", 'f("b")\n')
    assert digest_of("job.py", 'x = "a"\n') != digest_of("job.py", 'x = "b"\n')


def test_code_that_moves_to_another_module_counts(scripts):
    before = digests.code_digest("job")
    source = (scripts / "doubletake/second.py").read_text()
    (scripts / "doubletake/second.py").write_text(
        (scripts / "doubletake/first.py").read_text()
    )
    (scripts / "doubletake/first.py").write_text(source)
    assert digests.code_digest("job") != before


def test_code_of_a_package_itself_counts(digest_of):
    found = {digests.code_digest("job")}
    found.add(digest_of("doubletake/__init__.py", "x = 1\n"))
    found.add(digest_of("doubletake/deep/__init__.py", "x = 1\n"))
    assert len(found) == 3


def test_a_module_that_is_named_is_followed(scripts):
    (scripts / "runs").mkdir()
    path = scripts / "runs/tables.py"
    path.write_text("import doubletake.third\n")
    before = digests.code_digest("job", "runs.tables")
    assert before != digests.code_digest("job")
    (scripts / "doubletake/third.py").write_text("x = 1\n")
    after = digests.code_digest("job", "runs.tables")
    path.write_text("import doubletake.third\nx = 1\n")
    assert len({before, after, digests.code_digest("job", "runs.tables")}) == 3


def test_imports_that_cannot_be_followed_are_refused(digest_of):
    with pytest.raises(ValueError, match="line 2: relative import"):
        digest_of("doubletake/second.py", "x = 1\nfrom . import third\n")
    with pytest.raises(FileNotFoundError):
        digests.code_digest("job", "no.module")


TABLE = 'T = Table("t", (Column("a", INT, "{}", unit="{}"),), holds="{}")\n'


def test_words_of_tables_do_not_count_and_types_do(digest_of):
    texts = (("one", "nats", "x"), ("two", "bits", "y"))
    path = "doubletake/second.py"
    found = {digest_of(path, TABLE.format(*words)) for words in texts}
    assert len(found) == 1
    other = TABLE.replace("INT", "TEXT").format(*texts[0])
    assert digest_of(path, other) not in found


def plain_digest(script: str, *modules: str) -> str:
    """The definition of a digest, written down again in a plainer way."""
    files, waiting = {}, [script, *(module.replace(".", "/") for module in modules)]
    while waiting:
        name = f"{waiting.pop()}.py"
        if name not in files and (digests.SCRIPTS / name).is_file():
            files[name], imported = plain_file(digests.SCRIPTS / name)
            waiting += imported
    joined = b"".join(f"{name}\0".encode() + files[name] for name in sorted(files))
    return hashlib.sha256(joined).hexdigest()[:12]


@cache
def plain_file(path: Path) -> tuple[bytes, set[str]]:
    """Digest of a file's tree, and files that it may import, without suffix."""
    tree, stems = ast.parse(path.read_bytes()), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{name}" for name in names]
            for parts in (name.split(".") for name in names):
                begun = {"/".join(parts[: end + 1]) for end in range(len(parts))}
                stems |= begun | {f"{stem}/__init__" for stem in begun}
        for part in ("body", "orelse", "finalbody"):
            if isinstance(block := getattr(node, part, None), list):
                setattr(node, part, [s for s in block if not is_text(s)])
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            table = node.func.id in ("Column", "Table")
            del node.args[2 : 3 if node.func.id == "Column" else 2]
            words = ("meaning", "unit", "holds") if table else ()
            node.keywords = [k for k in node.keywords if k.arg not in words]
    return hashlib.sha256(ast.dump(tree).encode()).digest(), stems


def is_text(statement: ast.AST) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(statement, ast.Expr) and isinstance(
        getattr(value, "value", None), str
    )


def test_digests_of_all_scripts_are_as_defined():
    paths = sorted(digests.SCRIPTS.glob("*/*.py"))
    scripts = [p for p in paths if '__name__ == "__main__"' in p.read_text()]
    tables = [f"{path.parent.name}.tables" for path in paths if path.stem == "tables"]
    assert len(scripts) > 80
    assert len(tables) > 30
    start = digests.Digests()
    for path in scripts:
        script = path.relative_to(digests.SCRIPTS).with_suffix("").as_posix()
        modules = tables if script == "report/write" else ()
        assert start.of(script, *modules) == plain_digest(script, *modules)
    assert digests.code_digest(script) == plain_digest(script)


def test_a_start_reads_every_file_once(scripts, monkeypatch):
    read: list[Path] = []
    whole = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda p: read.append(p) or whole(p))
    start = digests.Digests()
    before = start.of("job"), start.of("other")
    files = [path for path in read if path.suffix == ".py"]
    assert len(files) == len(set(files)) == 7
    (scripts / "doubletake/third.py").write_text("x = 1\n")
    read.clear()
    assert (start.of("job"), start.of("other")) == before
    assert read == []
    assert digests.code_digest("other") != before[1]
