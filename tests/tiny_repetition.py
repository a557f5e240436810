"""Hand-made thoughts of the pocket model, with one arrival and more."""

from tiny_traces import make_trace

QUESTION = (
    "Sara has 43 pears. Omar gives her 3 more. She sells 6. How many pears does Sara "
    "have?"
)
STEPS = "Sara has 43 pears.\nOmar gives her 3 more, so 43 + 3 = 46.\n"
RIGHT = (
    f"{STEPS}She sells 6, so 46 - 6 = 40.\nWait, let me check again. 43 + 3 = 46. "
    "46 - 6 = 40. This was quick to find. So the answer is 40.\n"
    "Therefore, the answer is 40.\n</think>\n\nThe answer is \\boxed{40}."
)
WRONG = (
    f"{STEPS}She sells 6, so 46 - 6 = 52.\nWait, 46 - 6 = 52 is not right. "
    "46 - 6 = 40.\nTherefore, the answer is 40.\n</think>\n\nThe answer is \\boxed{40}."
)
ONCE = f"{STEPS}She sells 6, so 46 - 6 = 40.\n</think>\n\nThe answer is \\boxed{{40}}."


def pocket_trace(tokenizer, text, name="00000/0"):
    prompt_ids = tokenizer.prompt_ids(QUESTION)
    return make_trace(tokenizer, text, name, prompt_ids) | {"answer": "40"}


def arrivals(trace, *ends):
    """Arrivals at the numbers that follow these texts, searched one after another."""
    rows, start = [], 0
    for text in ends:
        start = trace["text"].index(text, start) + len(text)
        end = start + 2
        value = trace["text"][start:end]
        rows.append(
            {
                "trace": trace["trace"],
                "event": len(rows),
                "kind": "arrival",
                "ordinal": len(rows) + 1,
                "start": start,
                "end": end,
                "token": 0,
                "value": value,
                "is_gold": value == "40",
                "is_final": value == "40",
                "cue": None,
                "cue_kind": None,
            }
        )
    return rows


def events_of(trace, text):
    """The arrivals of one of the texts."""
    said = {
        RIGHT: ("6, so 46 - 6 = ", "46. 46 - 6 = ", "answer is ", "answer is "),
        WRONG: ("6, so 46 - 6 = ", "right. 46 - 6 = ", "answer is "),
        ONCE: ("6, so 46 - 6 = ",),
    }
    return arrivals(trace, *said[text])
