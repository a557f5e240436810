"""The one adapter: a Hugging Face decoder with its parts by name, proven at load.

Words: the residual stream at boundary l, `resid[l]`, is the input of layer l;
`resid[n_layers]` is the input of the final norm. Each layer adds two writes to it,
`attn_out[l]` and `mlp_out[l]` (after the norms behind them, where a model has such).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModelForCausalLM
from transformers.utils import logging as hf_logging
from transformers.utils.peft_utils import find_adapter_config_file

from doubletake.model.adapters import refuse_adapter
from doubletake.model.architectures import LAYOUTS, Layout
from doubletake.model.devices import choose_device, device_name
from doubletake.model.folders import WEIGHTS, check_adapter
from doubletake.model.proofs import Proof, prove
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings

logger = logging.getLogger(__name__)

DTYPES = {
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}
NORM_EPS = "rms_norm_eps"
NO_SAFETENSORS = "cannot be loaded with `safetensors`"  # the library's words
UNEMBED_ROWS = 128  # positions unembedded at once


@dataclass(frozen=True)
class Decoder:
    """A frozen causal language model and its parts.

    Generation and plain forward passes use `hf`; whatever hooks into the model finds
    its modules here.
    """

    hf: Any
    """The Hugging Face model: evaluation mode, no parameter requires a gradient."""
    config: Any
    """Its text configuration (of a composite model: the decoder's part)."""
    layout: Layout
    settings: ModelSettings

    @cached_property
    def proof(self) -> Proof:
        """The self-proof; computed once."""
        return prove(self)

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return self.embed.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Type of the weights and of all activations."""
        return self.embed.weight.dtype

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def d_model(self) -> int:
        """Width of the residual stream."""
        return self.config.hidden_size

    @property
    def max_positions(self) -> int:
        """Longest sequence that the model was made for, in tokens."""
        return self.config.max_position_embeddings

    @property
    def stop_ids(self) -> set[int]:
        """Tokens that end a completion, by the model's generation config."""
        stops = self.hf.generation_config.eos_token_id
        return set(stops if isinstance(stops, list) else [stops]) - {None}

    @property
    def base(self) -> nn.Module:
        """The model without unembedding; its last_hidden_state is already normed."""
        return self.hf.base_model

    @cached_property
    def embed(self) -> nn.Embedding:
        """Token embedding; its output is `resid[0]`, scaled where the model scales."""
        return self.hf.get_submodule(self.layout.embed)

    @cached_property
    def layers(self) -> nn.ModuleList:
        """The decoder layers."""
        return self.hf.get_submodule(self.layout.layers)

    @cached_property
    def final_norm(self) -> nn.Module:
        """The norm before the unembedding."""
        return self.hf.get_submodule(self.layout.final_norm)

    @cached_property
    def unembed(self) -> nn.Linear:
        """The unembedding; `W_U` is its weight, [vocabulary, d_model]."""
        return self.hf.get_submodule(self.layout.unembed)

    @property
    def norm_eps(self) -> float:
        """Epsilon of the RMS norms."""
        return getattr(self.config, NORM_EPS)

    @property
    def norm_gain(self) -> torch.Tensor:
        """Gain of the final norm, [d_model], float32.

        `final_norm(x) = norm_gain * final_scale(x) * x`, up to rounding.
        """
        return self.final_norm.get_parameter("weight").float() + self.layout.norm_offset

    @property
    def softcap(self) -> float | None:
        """Cap c of the final logits, c tanh(logits / c); None without one."""
        return softcap_of(self.config)

    def attention(self, layer: int) -> nn.Module:
        """Attention module of a layer."""
        return self._part(layer, self.layout.attention)

    def attention_out(self, layer: int) -> nn.Linear:
        """Output projection of a layer's attention, heads side by side in its input."""
        return self._part(layer, self.layout.attention_out)

    def attention_write(self, layer: int) -> nn.Module:
        """The module whose output attention adds to the residual stream."""
        return self._part(layer, self.layout.attention_write)

    def mlp(self, layer: int) -> nn.Module:
        """MLP module of a layer."""
        return self._part(layer, self.layout.mlp)

    def mlp_norm(self, layer: int) -> nn.Module:
        """The norm through which a layer's MLP reads the residual stream."""
        return self._part(layer, self.layout.mlp_norm)

    def mlp_down(self, layer: int) -> nn.Linear:
        """Down-projection of a layer's MLP; its columns are the value vectors.

        Raises:
            InputError: a mixture of experts, which has one for each expert.
        """
        path = self.layout.mlp_down
        if path is None:
            raise InputError(
                f"{self.settings.source}: {self.config.model_type} is a mixture of "
                "experts, whose MLPs have no single down-projection"
            )
        return self._part(layer, path)

    def mlp_write(self, layer: int) -> nn.Module:
        """The module whose output the MLP adds to the residual stream."""
        return self._part(layer, self.layout.mlp_write)

    def logits(self, normed: torch.Tensor) -> torch.Tensor:
        """Logits of final hidden states, capped where the model caps.

        Args:
            normed: [..., d_model], after the final norm (`last_hidden_state`).

        Returns:
            [..., vocabulary], in the model's dtype.
        """
        logits = self.unembed(normed)
        cap = self.softcap
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def logprobs(self, normed: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Log-probs of given tokens, in chunks: never all logits of a sequence at once.

        Args:
            normed: [token, d_model], after the final norm.
            targets: [token], the token that follows each.

        Returns:
            [token], float32, nats, at temperature 1.
        """
        parts = [torch.zeros(0, device=normed.device)]
        chunks = zip(
            normed.split(UNEMBED_ROWS), targets.split(UNEMBED_ROWS), strict=True
        )
        for states, wanted in chunks:
            logits = self.logits(states).float()
            chosen = logits.gather(1, wanted[:, None])[:, 0]
            parts.append(chosen - logits.logsumexp(1))
        return torch.cat(parts)

    def final_scale(self, resid: torch.Tensor) -> torch.Tensor:
        """Factor of the final norm, rsqrt(mean(resid²) + eps), in float32.

        Args:
            resid: [..., d_model], before the final norm.

        Returns:
            [...].
        """
        square = resid.float().square().mean(-1)
        return torch.rsqrt(square + self.norm_eps)

    def normed(self, resid: torch.Tensor) -> torch.Tensor:
        """The final norm by its formula, in float32: [..., d_model] to the same."""
        scale = self.final_scale(resid).unsqueeze(-1)
        return self.norm_gain * (scale * resid.float())

    def _part(self, layer: int, path: str) -> Any:
        return self.layers[layer].get_submodule(path)


def load_decoder(settings: ModelSettings) -> Decoder:
    """Load a model from safetensors, freeze it and let it prove itself.

    Raises:
        InputError: the model cannot be had, read, placed or trusted; says why.
    """
    device = choose_device(settings.device)
    config = read_config(settings)
    layout = LAYOUTS[config.model_type]
    hf = _load_weights(settings, layout)
    decoder = Decoder(hf, hf.config.get_text_config(), layout, settings)
    with _memory_errors(settings, device):
        hf.to(device)
        proof = decoder.proof
    if not proof.holds:
        raise InputError(_why_unproven(decoder, proof))
    logger.info(
        "%s: %d layers, %s on %s, self-proof: %s",
        settings.source,
        decoder.n_layers,
        settings.dtype,
        device_name(device),
        proof,
    )
    return decoder


def softcap_of(config: Any) -> float | None:
    """Cap of the final logits that a text configuration asks for."""
    return getattr(config, "final_logit_softcapping", None)


def read_config(settings: ModelSettings) -> Any:
    """Configuration of a model, without its weights.

    Raises:
        InputError: it cannot be had or read, or is of a kind that is not supported.
    """
    _refuse_adapter(settings)
    with _load_errors(settings):
        config = AutoConfig.from_pretrained(
            settings.source,
            revision=settings.revision,
            trust_remote_code=settings.trust_remote_code,
        )
    if config.model_type not in LAYOUTS:
        raise InputError(
            f"{settings.source}: unsupported architecture {config.model_type!r} "
            f"(supported: {', '.join(sorted(LAYOUTS))})"
        )
    if getattr(config, "quantization_config", None) is not None:
        raise InputError(f"{settings.source}: quantized weights are not supported")
    if named := getattr(config, "transformers_weights", None):
        raise InputError(
            f"{settings.source}: weights that config.json names (transformers_weights: "
            f"{named!r}) are not supported; remove that key and call them {WEIGHTS}"
        )
    return config


def _refuse_adapter(settings: ModelSettings) -> None:
    """Refuse a model that is or holds an adapter.

    Where the hub cannot be reached, only an adapter in its cache can be seen.
    """
    if settings.revision is None:
        return check_adapter(Path(settings.source), settings.source)
    with _load_errors(settings):
        found = find_adapter_config_file(settings.source, revision=settings.revision)
    return refuse_adapter(settings.source, None, [Path(found)] if found else [])


def _load_weights(settings: ModelSettings, layout: Layout) -> Any:
    hf_logging.disable_progress_bar()
    with _load_errors(settings), _memory_errors(settings, torch.device("cpu")):
        hf, report = AutoModelForCausalLM.from_pretrained(
            settings.source,
            revision=settings.revision,
            dtype=DTYPES[settings.dtype],
            attn_implementation=layout.attention_kernel,
            use_safetensors=True,
            trust_remote_code=settings.trust_remote_code,
            # Reported below, with the weight's name.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # The library fills what a checkpoint lacks with random numbers.
    if report["missing_keys"]:
        names = sorted(report["missing_keys"])
        raise InputError(
            f"{settings.source}: {len(names)} weights are missing, first {names[0]}"
        )
    if report["mismatched_keys"]:
        name, found, wanted = sorted(report["mismatched_keys"])[0]
        raise InputError(
            f"{settings.source}: {name} has the shape {list(found)}, but config.json "
            f"wants {list(wanted)}"
        )
    if report["unexpected_keys"]:
        names = sorted(report["unexpected_keys"])
        logger.warning(
            "%s: %d weights are not used, first %s",
            settings.source,
            len(names),
            names[0],
        )
    return hf.eval().requires_grad_(False)


def refuse_bad_weights(decoder: Decoder) -> None:
    """Refuse weights that are not finite.

    Raises:
        InputError: names the first such weight.
    """
    for name, weight in decoder.hf.named_parameters():
        if not torch.isfinite(weight).all():
            where = f"{decoder.settings.source}: weight {name}"
            raise InputError(f"{where} holds values that are not finite")


def _why_unproven(decoder: Decoder, proof: Proof) -> str:
    refuse_bad_weights(decoder)
    source = decoder.settings.source
    return (
        f"{source}: this {decoder.config.model_type} model fails the self-proof in "
        f"{decoder.settings.dtype}, relative errors: {proof}"
    )


@contextmanager
def _load_errors(settings: ModelSettings) -> Iterator[None]:
    """Turn what the library raises for bad files into one sentence."""
    at = "" if settings.revision is None else f" at revision {settings.revision}"
    try:
        yield
    except SafetensorError as error:
        raise InputError(
            f"{settings.source}{at}: damaged safetensors file ({error})"
        ) from error
    except (OSError, ValueError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())[:300]
        if NO_SAFETENSORS in reason:
            reason = "it has no safetensors weights, and pickled ones are never opened"
        raise InputError(
            f"{settings.source}{at}: cannot be loaded as a model ({reason})"
        ) from error


@contextmanager
def _memory_errors(settings: ModelSettings, device: torch.device) -> Iterator[None]:
    """Turn a lack of memory into one sentence."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise InputError(
            f"{settings.source}: out of memory on {device.type} while loading in "
            f"{settings.dtype}"
        ) from error


def out_of_memory(error: BaseException) -> bool:
    """Whether this is a lack of memory, on a GPU or not."""
    return isinstance(
        error, (torch.OutOfMemoryError, MemoryError)
    ) or "can't allocate memory" in str(error)
