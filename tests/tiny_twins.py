"""Hand-made thoughts with one planted cause each, as rows of the tables."""

from thought_edges import edges_of

from problems.tables import PROBLEMS
from traces.tables import TRACES
from truth.read import truth_rows
from truth.tables import TRUTH
from twins.measure import main
from twins.tables import TWINS

ASKED = "How many apples does Tom have {}?"
STORY = "Tom has 18 apples. He finds 8 more. {}He loses 4. {}"
SLIP = STORY.format("", ASKED.format("now"))
DISTRACTOR = STORY.format("Ben is 7 years old. ", ASKED.format("now"))
OPEN_WORD = STORY.format("", ASKED.format("in all"))
CASES = {
    "00000/0": (SLIP, "18 + 8 = 27.\n27 - 4 = 23. Wait, 18 + 8 = 27 is not right."),
    "00001/0": (DISTRACTOR, "18 + 8 = 26. 26 - 4 = 22.\n\nSo the final answer is 22."),
    "00002/0": (
        DISTRACTOR,
        "18 + 8 = 26. The steps are not hard to do. 26 - 4 = 22. That was not hard.",
    ),
    "00003/0": (OPEN_WORD, "18 + 8 = 26. 26 - 4 = 22.\nSo the final answer is 22."),
}


def trace_of(tokenizer, name):
    return trace_row(tokenizer, name, *CASES[name])


def trace_row(tokenizer, name, question, thought):
    ids = tokenizer.encode(f"{thought}\n</think>\n\nThe answer is 22.")
    text, offsets = tokenizer.decode(ids)
    return {
        "trace": name,
        "problem": name.split("/")[0],
        "sample": 0,
        "prompt_ids": tokenizer.prompt_ids(question),
        "completion_ids": ids,
        "logprobs": None,
        "text": text,
        "offsets": offsets,
        "thought_end": None,
        **edges_of(text),
        "finish": "stop",
        "answer": "22",
        "correct": True,
    }


def problem_of(name):
    question, _ = CASES[name]
    return {
        "problem": name.split("/")[0],
        "question": question,
        "gold": "22",
        "solution": "",
    }


def truth_of(trace):
    return truth_rows(trace, CASES[trace["trace"]][0])


def measured_twins(folder, problems, traces, truth, model, settings):
    """Write rows of the three tables, measure their twins, read the table."""
    PROBLEMS.write(PROBLEMS.frame(problems), folder / "problems")
    TRACES.write(TRACES.frame(traces), folder / "traces")
    TRUTH.write(TRUTH.frame(truth), folder / "truth")
    main(
        problems_path=folder / "problems",
        traces_path=folder / "traces",
        truth_path=folder / "truth",
        twins_path=folder / "twins",
        verification_path=folder / "verification",
        runs_path=folder / "runs",
        model=model,
        settings=settings,
    )
    return TWINS.read(folder / "twins")
