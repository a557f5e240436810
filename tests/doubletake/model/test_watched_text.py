"""Interventions at places of the text, on thoughts of the pocket model."""

import json
import re

import pytest
import torch
from checkouts import ROOT
from plain_interventions import added, plain_decoding
from tiny_models import tokenizer_settings

from doubletake.detector.causal import detect_causal
from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import InterventionRecord, Positions, model_name
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.model.watched_text import TextReader, WatchedText
from doubletake.running.errors import InputError
from doubletake.text.tokenizer import load_tokenizer

KINDS = ("sentence_ends", "paragraph_ends", "after_arrivals")
SAMPLING = Sampling(0.6, 0.95, 3)
COUNT, LIMIT = 6, 220


@pytest.fixture(scope="module")
def tokenizer():
    torch.set_num_threads(1)
    return load_tokenizer(tokenizer_settings(ROOT / "resources/pocket"))


@pytest.fixture(scope="module")
def decoder():
    return load_decoder(tokenizer_settings(ROOT / "resources/pocket"))


@pytest.fixture(scope="module")
def questions():
    lines = (ROOT / "resources/pocket/problems.jsonl").read_text().splitlines()
    return {
        f"{k}/0": json.loads(line)["question"] for k, line in enumerate(lines[:COUNT])
    }


@pytest.fixture(scope="module")
def decoded(decoder, tokenizer, questions):
    """Requests, completions and the record, by kind and trace."""
    model, requests = model_name(decoder.settings), {}
    for trace, question in questions.items():
        for kind in KINDS:
            strong = added(model, "resid", 4, decoder.d_model, Positions(kind), norm=4)
            requests[kind, trace] = GenerationRequest(
                trace,
                tokenizer.prompt_ids(question),
                LIMIT,
                name=kind,
                interventions=(strong,),
            )
    record, stops = InterventionRecord(), tokenizer.stops_with(decoder.stop_ids)
    done = generate(
        decoder.hf,
        list(requests.values()),
        SAMPLING,
        stops,
        16,
        decoder=decoder,
        reader=TextReader(tokenizer, questions),
        record=record,
    )
    found = {(one.name, one.trace): one for one, _ in done if one is not None}
    return requests, found, record


def places(kind, tokenizer, question, ids):
    """Positions of a kind in a completion, from its whole text."""
    texts = [tokenizer.decode(ids[:p])[0] for p in range(len(ids) + 1)]
    thought = texts[-1].partition("</think>")[0]
    inside = {p for p, text in enumerate(texts) if p and "</think>" not in text}
    if kind == "sentence_ends":
        return {p for p in inside if re.search(r"[.?!]\s*$|\n\s*$", texts[p])}
    if kind == "paragraph_ends":
        return {p for p in inside if re.search(r"\n\n\s*$", texts[p])}
    arrivals = detect_causal(question, thought).arrivals
    shown = arrivals[0].characters if arrivals else float("inf")
    return {p for p in inside if len(texts[p]) >= shown}


@pytest.mark.parametrize("kind", KINDS)
def test_states_change_at_the_places_of_the_text(kind, tokenizer, questions, decoded):
    _, found, record = decoded
    some = 0
    for trace, question in questions.items():
        one = found[kind, trace]
        wanted = places(kind, tokenizer, question, one.ids)
        read = len(one.ids) + (one.finish == "stop")
        wanted = sorted(p for p in wanted if p < read)
        assert record.positions.get((kind, trace), []) == wanted
        some += bool(wanted)
    assert some >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_decoding_equals_plain_hooks(kind, decoder, tokenizer, questions, decoded):
    requests, found, _ = decoded
    stops = tokenizer.stops_with(decoder.stop_ids)
    for trace in list(questions)[:2]:
        request, one = requests[kind, trace], found[kind, trace]
        where = places(kind, tokenizer, questions[trace], one.ids)
        ids, logprobs = plain_decoding(
            decoder, request, SAMPLING, stops, lambda _, p, where=where: p in where
        )
        assert one.ids == ids
        assert one.logprobs == pytest.approx(logprobs, abs=1e-4)


def kinds_of(tokenizer, text):
    """Kinds that show after the whole text, whose end marker may be in it."""
    watched = WatchedText(tokenizer, "Tom has 3 pens and 4 pencils. How many?")
    for token in tokenizer.encode(text):
        watched.add(token)
    return {kind for kind in KINDS if watched.shows(kind)}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("", set()),
        ("\n", set()),
        ("3 + 4 = 7", set()),
        ("3 + 4 = 7.", {"sentence_ends"}),
        ("3 + 4 = 7. ", {"sentence_ends"}),
        ("3 + 4 = 7. Is", set()),
        ("Is that right?", {"sentence_ends"}),
        ("1.", set()),
        ("e.g.", set()),
        ("3 + 4 = 7\n", {"sentence_ends"}),
        ("3 + 4 = 7\n\n", {"sentence_ends", "paragraph_ends"}),
        ("3 + 4 = 7.\n \n ", {"sentence_ends", "paragraph_ends"}),
        ("3 + 4 = 7.\n\nSo", set()),
        (
            "So the answer is 7.\nWait, 3 + 4 is 7. So the answer is 7.\n\n",
            {"sentence_ends", "paragraph_ends", "after_arrivals"},
        ),
        ("So the answer is 7.\n</think>\n\n", set()),
        ("So the answer is 7.\n</think>\n\nIt is 7.", set()),
    ],
)
def test_places(tokenizer, text, kinds):
    assert kinds_of(tokenizer, text) == kinds


def test_given_tokens_count_as_text(decoder, tokenizer, questions):
    ids = tokenizer.encode(
        "So the answer is 7. Wait, 3 + 4 is 7. So the answer is 7.\n"
    )
    model, record = model_name(decoder.settings), InterventionRecord()
    one = added(model, "resid", 4, decoder.d_model, Positions("after_arrivals"))
    request = GenerationRequest(
        "0/0",
        tokenizer.prompt_ids(questions["0/0"]),
        len(ids) + 3,
        ids,
        [0.0] * len(ids),
        interventions=(one,),
    )
    ((done, _),) = [
        pair
        for pair in generate(
            decoder.hf,
            [request],
            SAMPLING,
            set(),
            4,
            decoder=decoder,
            reader=TextReader(tokenizer, questions),
            record=record,
        )
        if pair[0]
    ]
    assert done.ids[: len(ids)] == ids
    assert record.positions["", "0/0"] == [0, 1, 2]


def test_what_the_text_needs_must_be_there(decoder, tokenizer):
    model = model_name(decoder.settings)
    one = added(model, "resid", 4, decoder.d_model, Positions("sentence_ends"))
    request = GenerationRequest("9/0", [5, 6], 4, interventions=(one,))

    def run(reader):
        list(
            generate(
                decoder.hf,
                [request],
                SAMPLING,
                set(),
                4,
                decoder=decoder,
                reader=reader,
            )
        )

    with pytest.raises(ValueError, match="need a TextReader"):
        run(None)
    with pytest.raises(InputError, match="trace 9/0: its question is not known"):
        run(TextReader(tokenizer, {}))
