"""Continuous batching: a slot takes the next prompt as soon as its thought ends.

The model is the plain one of transformers, with the library's cache classes. The batch
(`slots`) stays full although thoughts differ in length; a static batch would wait for
its longest thought.

Everything that decides the next tokens can be saved (`GenerationState`). With keys and
values in it, a generation goes on bit by bit as if it had never stopped. Without them,
they are computed again from the tokens, in one pass. Then their last bits differ, as
they do with another batch size. In float32 this hardly ever changes a token that is
chosen later; in bfloat16 it often does.
"""

import logging
from collections import deque
from collections.abc import Iterator

import torch
from transformers import PreTrainedModel

from doubletake.model.checkpoints import Checkpoint
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest, GenerationState
from doubletake.model.interventions import InterventionRecord
from doubletake.model.requested_changes import check_requests, grouped
from doubletake.model.row_interventions import RowInterventions
from doubletake.model.slots import Slots, Steering
from doubletake.model.token_sampling import Sampling
from doubletake.model.watched_text import TextReader
from doubletake.running.errors import InputError
from doubletake.text.trace_rows import Completion

logger = logging.getLogger("doubletake")


@torch.inference_mode()
def generate(
    model: PreTrainedModel,
    requests: list[GenerationRequest],
    sampling: Sampling,
    stop_ids: set[int],
    batch_size: int,
    checkpoint: Checkpoint | None = None,
    steering: Steering | None = None,
    *,
    decoder: Decoder | None = None,
    reader: TextReader | None = None,
    record: InterventionRecord | None = None,
) -> Iterator[tuple[Completion | None, int]]:
    """Generate completions; yield (finished completion or None, tokens computed since).

    When a GPU runs out of memory, the batch is halved. The completions under way keep
    their tokens; their keys and values are computed again. Those that step begin again.

    Args:
        model: the plain model of transformers.
        requests: what to generate.
        sampling: how tokens are chosen.
        stop_ids: tokens that end a completion.
        batch_size: largest number of completions under way.
        checkpoint: of these requests; written from time to time. The generation begins
            where it stands, without the completions that are finished there.
        steering: changes the logits before a token is chosen; None: nothing does.
        decoder: `model` with its parts by name; interventions need it.
        reader: reads the text where it decides positions of interventions.
        record: takes the positions at which states are changed.

    Raises:
        InputError: one completion does not fit into memory, or as `check_requests`.
    """
    check_requests(requests, decoder, reader)
    start = GenerationState.at_start(grouped(requests), batch_size)
    state = start if checkpoint is None else checkpoint.state
    rows = RowInterventions.of(decoder, state.batch_size, reader, record)
    slots = Slots(model, state.batch_size, sampling, stop_ids, steering, rows)
    if state.tensors:
        slots.restore(state)
        state.tensors = {}
    waiting = state.waiting
    while waiting or slots.active:
        before = slots.tokens_computed
        ended: list[Completion] = []
        try:
            ended += slots.fill(waiting)
            if slots.active:
                ended += slots.step()
            yield None, slots.tokens_computed - before
        except torch.cuda.OutOfMemoryError as error:
            slots = _halved(slots, waiting, error)
            torch.cuda.empty_cache()
        for completion in ended:
            yield completion, 0
        state.finished += ended
        if checkpoint is not None and checkpoint.is_due:
            now = slots.requests, waiting, slots.size, slots.tensors()
            checkpoint.write(GenerationState(state.finished, *now))


def _halved(
    slots: Slots,
    waiting: deque[GenerationRequest],
    error: torch.cuda.OutOfMemoryError,
) -> Slots:
    """Empty slots, half as many; the completions under way wait before all others.

    Raises:
        InputError: there is one slot only.
    """
    if slots.size == 1:
        names = ", ".join(request.trace for request in slots.unfinished)
        raise InputError(
            f"out of GPU memory for one completion alone: trace {names}"
        ) from error
    logger.warning("out of GPU memory: batch size is now %d", slots.size // 2)
    waiting.extendleft(reversed(slots.unfinished))
    size, rows = slots.size // 2, slots.interventions
    return Slots(
        slots.model,
        size,
        slots.sampling,
        slots.stop_ids,
        slots.steering,
        None if rows is None else rows.emptied(size),
    )
