"""A finished study of a real model: its files, and the model to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
import torch
import yaml
from checkouts import Checkout
from transformers import AutoModelForCausalLM, AutoTokenizer

from activations.reading import ActivationCache, Origin
from doubletake.study.settings import ModelSettings, Sources, model_settings

CONFIG = "config/config.yaml"
MODEL, THOUGHTS, QUESTIONS = "smollm2", "thoughts", "questions"
COUNT, TURNS = 6, 2
"""Number of thoughts, and the smallest number of backtracks in each."""


@dataclass(frozen=True)
class RealStudy:
    """SmolLM2 on thoughts of other models, with all experiments."""

    checkout: Checkout

    @cached_property
    def config(self) -> dict[str, Any]:
        """The config of the run."""
        return yaml.safe_load((self.checkout.folder / CONFIG).read_text())

    @property
    def source(self) -> str:
        """Folder of the model."""
        return self.config["models"][MODEL]["source"]

    @cached_property
    def settings(self) -> ModelSettings:
        """Settings of the model, as the scripts get them."""
        sources = Sources((self.checkout.folder,))
        return ModelSettings(**model_settings(self.config, MODEL, sources))

    @cached_property
    def model(self) -> Any:
        """The model as transformers loads it, with eager attention."""
        model = AutoModelForCausalLM.from_pretrained(
            self.source, dtype=torch.float32, attn_implementation="eager"
        )
        return model.eval().requires_grad_(False)

    @cached_property
    def tokenizer(self) -> Any:
        """The tokenizer as transformers loads it."""
        return AutoTokenizer.from_pretrained(self.source)

    def path(self, name: str, dataset: str = THOUGHTS) -> Path:
        """Path of a result."""
        return self.checkout.study(f"{MODEL}/{dataset}") / name

    def table(self, name: str, dataset: str = THOUGHTS) -> pl.DataFrame:
        """A table of the results; `name` is its path without suffix."""
        return pl.read_parquet(self.path(f"{name}.parquet", dataset))

    def ids(self, trace: str, end: int | None = None) -> torch.Tensor:
        """The first `end` tokens of prompt and completion, [1, token]."""
        (row,) = self.table("traces").filter(trace=trace).to_dicts()
        return torch.tensor([(row["prompt_ids"] + row["completion_ids"])[:end]])

    def words(self, group: str) -> list[int]:
        """Ids of the target tokens `backtrack` or `wrap_up`."""
        return self.table("turns/words").filter(group=group)["token_id"].to_list()

    def log_odds(self, logits: torch.Tensor) -> torch.Tensor:
        """Log-odds of a backtrack word against all other tokens: [..., vocabulary]."""
        share = logits.double().softmax(-1)[..., self.words("backtrack")].sum(-1)
        return share.log() - (1 - share).log()

    def margin(self, logits: torch.Tensor) -> torch.Tensor:
        """Log-odds of a backtrack word against a wrap-up word: [..., vocabulary]."""
        back, wrap = (
            logits[..., self.words(k)].logsumexp(-1) for k in ("backtrack", "wrap_up")
        )
        return back - wrap

    @cached_property
    def cache(self) -> ActivationCache:
        """The cached activations."""
        shards = sorted(self.path("activations").glob("*.safetensors"))
        origin = Origin.of(self.settings, self.path("events.parquet"))
        return ActivationCache(self.path("activations/index.parquet"), shards, origin)


def spread(rows: pl.DataFrame, count: int) -> list[dict[str, Any]]:
    """At most `count` rows, at even distances from the first to the last."""
    if rows.height <= count:
        return rows.to_dicts()
    places: Sequence[int] = [k * (rows.height - 1) // (count - 1) for k in range(count)]
    return rows[places].to_dicts()
