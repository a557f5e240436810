"""How many right answers of real traces are recognised, also by a plain pattern?

For each model of the real traces (DOUBLETAKE_DATA), prints two shares of answers that
equal gold: by `final_answer` and `same_value`, and by the usual pattern for
`\\boxed{...}` or `#### ...` with a comparison of texts.

Run: DOUBLETAKE_DATA=... python tests/bench/bench_answers.py
"""

import json
import os
import re
import sys
from collections import defaultdict
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.text.equality import same_value
from doubletake.text.final_answers import final_answer

PLAIN = re.compile(r"\\boxed\{([^{}]*)\}|####\s*(\S+)")


def by_pattern(answer: str) -> str | None:
    found = PLAIN.findall(answer)
    return "".join(found[-1]).replace(",", "").strip("$ .") if found else None


def main() -> None:
    folder = os.environ.get("DOUBLETAKE_DATA")
    if not folder:
        print("not run: DOUBLETAKE_DATA names no folder of real data")
        return
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    path = Path(folder) / "r1_traces/gsm8k_test.jsonl"
    with path.open(encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            answer = final_answer(row["answer"] or "")
            count = counts[row["model"]]
            count[0] += 1
            count[1] += answer is not None and same_value(row["gold"], answer)
            count[2] += by_pattern(row["answer"] or "") == row["gold"]
    for model, (total, read, plain) in sorted(counts.items()):
        print(
            f"{model:42} {read}/{total} right ({read / total:.1%}), "
            f"by the plain pattern {plain}/{total} ({plain / total:.1%})"
        )


if __name__ == "__main__":
    main()
