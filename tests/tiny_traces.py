"""Hand-made traces in tokens of the tiny model, as rows of the tables."""

from thought_edges import edges_of

QUESTION = "Tom has 12 pens and buys 7 more pens. How many pens does Tom have now?"
THOUGHT = (
    "First, 12 + 7 = 19. So the answer is 19. Wait, let me check that again.\n"
    "7 + 12 = 19, so it is 19 pens\n</think>\n\nThe answer is 19."
)


def make_trace(tokenizer, text, name="00000/0", prompt=None, end=()):
    prompt_ids = tokenizer.prompt_ids(QUESTION) if prompt is None else prompt
    ids = [*tokenizer.encode(text), *end]
    decoded, offsets = tokenizer.decode(ids)
    (marker,) = tokenizer.encode(tokenizer.format.end)
    thought_end = len(prompt_ids) + ids.index(marker) if marker in ids else None
    return {
        "trace": name,
        "problem": name.split("/")[0],
        "sample": 0,
        "prompt_ids": prompt_ids,
        "completion_ids": ids,
        "logprobs": None,
        "text": decoded,
        "offsets": offsets,
        "thought_end": thought_end,
        **edges_of(decoded),
        "finish": "stop",
        "answer": "19",
        "correct": True,
    }


def arrivals_of(trace, value="19"):
    """Every mention of the value is an arrival."""
    rows, start = [], trace["text"].find(value)
    while start >= 0:
        end = start + len(value)
        last = max(i for i, offset in enumerate(trace["offsets"]) if offset < end)
        rows.append(
            {
                "trace": trace["trace"],
                "event": len(rows),
                "kind": "arrival",
                "ordinal": len(rows) + 1,
                "start": start,
                "end": end,
                "token": len(trace["prompt_ids"]) + last,
                "value": value,
                "is_gold": True,
                "is_final": True,
                "cue": None,
                "cue_kind": None,
            }
        )
        start = trace["text"].find(value, end)
    return rows
