"""Digests follow imports, and ignore comments and docstrings."""

import hashlib

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
