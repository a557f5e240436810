"""What requests ask to change: checked before the first token, and changed logits."""

from collections.abc import Sequence

import torch

from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import check_interventions, needs_text
from doubletake.model.watched_text import TextReader
from doubletake.running.errors import InputError


def check_requests(
    requests: Sequence[GenerationRequest],
    decoder: Decoder | None,
    reader: TextReader | None,
) -> None:
    """Refuse changes that cannot be made.

    Raises:
        InputError: `check_interventions` refuses an intervention, the question of a
            trace is not known, or a changed word is no token of the model.
        ValueError: requests with changes need a decoder or a reader, and there is none.
    """
    changed = [one for one in requests if one.interventions or one.words]
    if not changed:
        return
    if decoder is None:
        raise ValueError("requests with interventions need the decoder")
    every = {id(one): one for request in changed for one in request.interventions}
    check_interventions(decoder, every.values())
    tokens = decoder.unembed.weight.shape[0]
    for request in changed:
        if needs_text(request.interventions):
            if reader is None:
                raise ValueError("positions that the text decides need a TextReader")
            reader.watch(request.trace)
        wrong = [
            token
            for word in request.words
            for token in word.ids
            if not 0 <= token < tokens
        ]
        if wrong:
            raise InputError(
                f"{request.name} of trace {request.trace}: changes the logit of token "
                f"{wrong[0]}, but {decoder.settings.source} has {tokens} tokens"
            )


def grouped(requests: Sequence[GenerationRequest]) -> list[GenerationRequest]:
    """The requests; those that step stand together if they share what is read first.

    Plain requests keep their order, and so do groups.
    """
    groups: dict[object, list[GenerationRequest]] = {}
    for number, request in enumerate(requests):
        key = request.shared_text if request.steps else number
        groups.setdefault(key, []).append(request)
    return [request for group in groups.values() for request in group]


def with_changed_words(
    logits: torch.Tensor, requests: Sequence[GenerationRequest]
) -> torch.Tensor:
    """Logits with the changes of words that requests ask for.

    Args:
        logits: [request, vocabulary]; they stay as they are.
        requests: of the rows.

    Returns:
        [request, vocabulary]; without any change of words it is `logits` itself.
    """
    rows: list[int] = []
    ids: list[int] = []
    changes: list[float] = []
    for row, request in enumerate(requests):
        for word in request.words:
            rows += [row] * len(word.ids)
            ids += word.ids
            changes += [word.change] * len(word.ids)
    if not rows:
        return logits
    places = torch.tensor([rows, ids], device=logits.device)
    added = torch.tensor(changes, dtype=logits.dtype, device=logits.device)
    return logits.index_put((places[0], places[1]), added, accumulate=True)
