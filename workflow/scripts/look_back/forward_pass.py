"""One forward pass over a batch of traces: attention of the next words, summed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from doubletake.model.attention_weights import AttentionRows, read_eager, reading_rows
from doubletake.model.batch_memory import FLOAT32, Widths, forward_bytes
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder
from look_back.looks import COLUMNS, Look, TraceLooks

QUERY_BLOCK = 64
"""Tokens of a sequence whose rows are computed at once."""


@dataclass
class Shares:
    """Attention of the tokens that look back, mean over these tokens."""

    words: torch.Tensor
    """[layer, head, word, `COLUMNS`], share of all attention."""
    rest: torch.Tensor
    """[layer, head], attention that goes neither to the first token nor to a sink."""
    even: torch.Tensor
    """[layer, word, `COLUMNS`], share of the visible tokens but the first."""

    @classmethod
    def zeros(cls, decoder: Decoder, look: Look) -> "Shares":
        """Nothing summed yet, on the decoder's device."""
        layers, heads = decoder.n_layers, decoder.config.num_attention_heads
        shape, device = (len(look.words), len(COLUMNS)), decoder.device
        return cls(
            torch.zeros(layers, heads, *shape, device=device),
            torch.zeros(layers, heads, device=device),
            torch.zeros(layers, *shape, device=device),
        )

    def add(
        self,
        layer: int,
        rows: torch.Tensor,
        seen: torch.Tensor,
        weights: torch.Tensor,
        count: int,
    ) -> None:
        """Add some tokens that look back.

        Args:
            layer: the layer.
            rows: [row, head, token], their attention.
            seen: [row, token], which tokens they see.
            weights: of the look (`Look.weights`).
            count: number of all tokens of the look that look back.
        """
        before, flat, shape = len(weights), weights.flatten(1), weights.shape[1:]
        summed = rows.sum(0) / count  # [head, token]
        self.words[layer] += (summed[:, :before] @ flat).unflatten(-1, shape)
        self.rest[layer] += summed[:, 1:].sum(-1)
        visible = seen[:, 1:].float()
        shares = torch.zeros(before, device=rows.device)
        of_row = visible / visible.sum(-1, keepdim=True).clamp(min=1)
        shares[1:] = of_row.sum(0)[: before - 1] / count
        self.even[layer] += (shares @ flat).unflatten(-1, shape)

    def on_cpu(self) -> "Shares":
        """The same on the CPU."""
        return Shares(self.words.cpu(), self.rest.cpu(), self.even.cpu())


def batch_bytes(decoder: Decoder, batch: Sequence[TraceLooks]) -> float:
    """Peak memory of `run_batch` in addition to the model, in bytes.

    The sums and the weights of all looks stay. The rows of a layer come while its
    attention runs.
    """
    w = Widths.of(decoder)
    longest = len(batch[0].ids)
    looks = [look for item in batch for look in item.looks]
    columns = sum(len(look.words) for look in looks) * len(COLUMNS)
    kept = FLOAT32 * columns * (longest + w.layers * (w.heads + 1))
    rows = min(QUERY_BLOCK, max(len(look.queries) for look in looks))
    tokens = len(batch) * longest
    # Scores, weights and their copies; the layer's inputs, queries, keys and values.
    reading = longest * FLOAT32 * (rows * (3 * w.heads + 3) + w.keys)
    reading += tokens * w.size * (3 * w.d + w.queries + 2 * w.keys)
    return kept + max(forward_bytes(w, len(batch), longest), reading)


@torch.inference_mode()
def run_batch(decoder: Decoder, batch: list[TraceLooks]) -> list[list[Shares]]:
    """Shares of every look of every trace, from one forward pass."""
    device = decoder.device
    looks = [look for item in batch for look in item.looks]
    shares = [Shares.zeros(decoder, look) for look in looks]
    weights = [look.weights().to(device) for look in looks]
    owners = torch.tensor([k for k, look in enumerate(looks) for _ in look.queries])

    def keep(rows: AttentionRows) -> None:
        seen = visible(rows.positions, rows.weights.shape[-1], rows.window)
        for k, part in runs_of(owners[rows.in_batch].tolist()):
            count = len(looks[k].queries)
            shares[k].add(rows.layer, rows.weights[part], seen[part], weights[k], count)

    queries = [[q for look in item.looks for q in look.queries] for item in batch]
    ids = padded([item.ids for item in batch]).to(device)
    with reading_rows(decoder, queries, keep, QUERY_BLOCK):
        decoder.base(input_ids=ids, use_cache=False)
    done = iter(shares)
    return [[next(done).on_cpu() for _ in item.looks] for item in batch]


def visible(positions: torch.Tensor, tokens: int, window: int | None) -> torch.Tensor:
    """Which of the first tokens each position sees: [position, token]."""
    indices = torch.arange(tokens, device=positions.device)
    seen = indices <= positions[:, None]
    return seen if window is None else seen & (indices > positions[:, None] - window)


def runs_of(owners: Sequence[int]) -> Iterator[tuple[int, slice]]:
    """Runs of equal numbers: the number, and where it stands."""
    start = 0
    for stop in range(1, len(owners) + 1):
        if stop == len(owners) or owners[stop] != owners[start]:
            yield owners[start], slice(start, stop)
            start = stop


def plain_shares(
    decoder: Decoder, ids: Sequence[int], look: Look
) -> tuple[torch.Tensor, torch.Tensor]:
    """Shares of a look by eager attention and plain loops, for checks.

    Args:
        decoder: the model.
        ids: tokens of the trace.
        look: a look with tokens that look back.

    Returns:
        `Shares.words` and `Shares.rest`.
    """
    words, rest = [], []

    def keep(_: int, weights: torch.Tensor) -> None:
        rows = weights[:, list(look.queries)].mean(1).cpu()  # [head, token]
        of_words = torch.zeros(len(rows), len(look.words), len(COLUMNS))
        for k, word in enumerate(look.words):
            sets = [[word.occurrence], *word.partners.values()]
            for column, members in enumerate(sets):
                sums = [rows[:, list(one.tokens)].sum(1) for one in members]
                if sums:
                    of_words[:, k, column] = torch.stack(sums).mean(0)
        words.append(of_words)
        rest.append(rows[:, 1:].sum(1))

    read_eager(decoder, ids[: look.queries.stop], keep)
    return torch.stack(words), torch.stack(rest)
