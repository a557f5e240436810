"""Digests of the code that a script runs."""

import hashlib

import pytest

from doubletake import digests


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
