"""The evaluation of the pocket model: its test problems and its files."""

import json

from pocket.evaluate import Settings, main, sample_test_problems
from pocket.problems import is_test_question

SETTINGS = Settings(
    problems=5,
    problems_without_thought=9,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    max_new_tokens=8,
    batch=3,
)


def test_test_problems_are_different_and_of_the_test_split():
    problems = sample_test_problems(50, seed=0)
    questions = {problem.question for problem in problems}
    assert len(questions) == 50
    assert all(map(is_test_question, questions))
    assert problems == sample_test_problems(60, seed=0)[:50]


def test_sampling_is_repeatable_and_written(tiny_model, tmp_path):
    written = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        main(
            model_path=tiny_model,
            problems_path=folder / "problems.jsonl",
            metrics_path=folder / "metrics.json",
            traces_path=folder / "traces.jsonl",
            settings=SETTINGS,
        )
        files = [path.read_bytes() for path in sorted(folder.iterdir())]
        written.append(files)
        rows = (folder / "problems.jsonl").read_text().splitlines()
        metrics = json.loads((folder / "metrics.json").read_text())
        assert len(rows) == metrics["problems"] == 5
        assert metrics["thoughts"]["accuracy"] == {"share": 0.0, "n": 5}
        assert metrics["exits"]["exit_0"]["n"] == 9
        assert metrics["exits"]["exit_0_of_the_thoughts"]["n"] == 5
        # A random model arrives nowhere: nothing is measured there, nothing invented.
        assert metrics["exits"]["later"] == {
            "n": 0,
            **dict.fromkeys(metrics["exits"]["later"].keys() - {"n"}),
        }
    assert written[0] == written[1]
