"""Thoughts that are decoded together while exit rules watch them."""

import logging
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError
from doubletake.text.trace_rows import Completion, TracePrompt
from online_exit.running_branches import Look, continue_running
from online_exit.watched_thoughts import RunningThought

logger = logging.getLogger("measure_online_exit")


@dataclass(frozen=True)
class Engine:
    """The model, and how much it does at the same time."""

    decoder: Decoder
    stop_ids: set[int]
    """Tokens that end a completion."""
    max_new_tokens: int
    """Longest completion."""
    batch_size: int
    """Thoughts that are decoded at the same time."""
    batch_memory: float
    """Memory for looks in addition to the model and the thoughts, in GiB."""

    @torch.inference_mode()
    def decode(
        self, thoughts: Sequence[RunningThought], sampling: Sampling
    ) -> Iterator[tuple[RunningThought | None, int]]:
        """Decode thoughts until their rules have stopped them, or they end.

        Args:
            thoughts: of different traces, which decide the random numbers.
            sampling: how tokens are chosen.

        Yields:
            A thought that has ended, or None; tokens of thoughts computed since. A
            thought whose tokens are no text is left out.

        Raises:
            InputError: a GPU has not enough memory.
        """
        yield from ((one, 0) for one in thoughts if one.ended)
        running = {one.prompt.trace: one for one in thoughts if not one.ended}
        waiting = deque(self._request(one) for one in running.values())
        slots = Slots(self.decoder.hf, self.batch_size, sampling, self.stop_ids)
        while waiting or slots.active:
            before = slots.tokens_computed
            try:
                ended = slots.fill(waiting)
                self._look(slots, running)
                if slots.active:
                    ended += slots.step()
                    self._look(slots, running)
            except torch.cuda.OutOfMemoryError as error:
                raise InputError(
                    "online_exit: out of GPU memory; lower generation.batch_size"
                ) from error
            yield None, slots.tokens_computed - before
            for completion in ended:
                self._finish(running, completion)
            for trace in [trace for trace, one in running.items() if one.ended]:
                yield running.pop(trace), 0

    def limit(self, prompt: TracePrompt) -> int:
        """Longest completion of a prompt."""
        room = self.decoder.max_positions - len(prompt.prompt_ids)
        return min(self.max_new_tokens, room)

    def _request(self, thought: RunningThought) -> GenerationRequest:
        prompt = thought.prompt
        return GenerationRequest(prompt.trace, prompt.prompt_ids, self.limit(prompt))

    def _look(self, slots: Slots, running: dict[str, RunningThought]) -> None:
        """Show the rules what is new; free the slots of the thoughts that end."""
        watched: list[tuple[int, RunningThought]] = []
        for slot, state in enumerate(slots.states):
            if state is not None:
                thought = running[state.request.trace]
                for token in state.ids[len(thought.ids) :]:
                    thought.add(token)
                watched.append((slot, thought))
        asking = watched
        while asking:
            asks = [(slot, one, *ask) for slot, one in asking for ask in one.asks()]
            looks = [
                Look(slot, [*one.prompt.prompt_ids, *one.ids], ask.branch)
                for slot, one, _, ask in asks
            ]
            said = continue_running(self.decoder, slots, looks, self.batch_memory)
            for (_, one, watcher, ask), continuation in zip(asks, said, strict=True):
                one.answer(watcher, ask, continuation)
            some = {slot for slot, _, _, _ in asks}
            asking = [(slot, one) for slot, one in asking if slot in some]
        for slot, thought in watched:
            if thought.ended:
                slots.end(slot)

    def _finish(
        self, running: dict[str, RunningThought], completion: Completion
    ) -> None:
        """Show the rules the last points of a completion that has left its slot."""
        thought = running[completion.trace]
        for token in completion.ids[len(thought.ids) :]:
            thought.add(token)
        try:
            thought.finish(completion)
        except InputError as error:
            logger.warning("%s left out: %s", completion.trace, error)
            del running[completion.trace]
            return
        ids = [*thought.prompt.prompt_ids, *thought.ids]
        while asks := thought.asks():
            for watcher, ask in asks:
                said = look_alone(self.decoder, ids, ask.branch, self.batch_memory)
                thought.answer(watcher, ask, said)


def look_alone(
    decoder: Decoder, ids: Sequence[int], branch: Branch, batch_memory: float
) -> Continuation:
    """What a branch says, without the keys of the running thought.

    The whole prefix is read again.

    Args:
        decoder: the model.
        ids: tokens of prompt and completion.
        branch: as in `Look`.
        batch_memory: memory in addition to the model, in GiB.
    """
    # A branch of a prefix reads a token and adds one, at least.
    suffix, tokens = branch.suffix or (ids[0],), max(1, branch.max_tokens)
    whole = replace(branch, suffix=suffix, max_tokens=tokens)
    prefix = Prefix("", ids, [whole])
    ((_, (said,)),) = continue_branches(decoder, [prefix], batch_memory)
    return said
