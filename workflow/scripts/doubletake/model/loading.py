"""Loads a decoder, places it on its device, and refuses it if its self-proof fails."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import transformers
from transformers.utils import logging as hf_logging

from doubletake.model.architectures import LAYOUTS, Layout
from doubletake.model.configuration import DTYPES, load_errors, read_config
from doubletake.model.decoder import Decoder
from doubletake.model.devices import choose_device, device_name, out_of_memory
from doubletake.model.multipliers import move_into_modules
from doubletake.model.self_proof import Proof, prove
from doubletake.running.errors import InputError
from doubletake.study.settings import ModelSettings

logger = logging.getLogger(__name__)


def load_decoder(settings: ModelSettings) -> Decoder:
    """Load a model from safetensors, freeze it and run its self-proof.

    Raises:
        InputError: the model cannot be downloaded or read, does not fit into memory, or
            fails its self-proof. The message says why.
    """
    device = choose_device(settings.device)
    config = read_config(settings)
    layout = LAYOUTS[config.model_type]
    hf = _load_weights(settings, layout)
    decoder = Decoder(hf, hf.config.get_text_config(), layout, settings)
    with _memory_errors(settings, device):
        hf.to(device)
        proof = prove(decoder)
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
    if decoder.max_positions < decoder.config.max_position_embeddings:
        logger.warning(
            "%s: sequences of more than %d tokens are refused: beyond them the model "
            "rotates all tokens otherwise (longrope)",
            settings.source,
            decoder.max_positions,
        )
    return decoder


def refuse_bad_weights(decoder: Decoder) -> None:
    """Refuse weights that are not finite.

    Raises:
        InputError: a weight is not finite. The message names the first one.
    """
    for name, weight in decoder.hf.named_parameters():
        if not torch.isfinite(weight).all():
            where = f"{decoder.settings.source}: weight {name}"
            raise InputError(f"{where} holds values that are not finite")


def _load_weights(settings: ModelSettings, layout: Layout) -> Any:
    hf_logging.disable_progress_bar()
    with load_errors(settings), _memory_errors(settings, torch.device("cpu")):
        hf, report = getattr(transformers, layout.auto_class).from_pretrained(
            settings.source,
            revision=settings.revision,
            dtype=DTYPES[settings.dtype],
            attn_implementation=layout.attention_kernel,
            use_safetensors=True,
            trust_remote_code=settings.trust_remote_code,
            # Refused below, with the weight's name.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
        )
    # Transformers fills missing weights with random numbers.
    if report["missing_keys"]:
        names = sorted(report["missing_keys"])
        raise InputError(
            f"{settings.source}: {len(names)} weights are missing, first {names[0]}"
        )
    if report["mismatched_keys"]:
        name, shape, expected = sorted(report["mismatched_keys"])[0]
        raise InputError(
            f"{settings.source}: {name} has the shape {list(shape)}, but config.json "
            f"requires {list(expected)}"
        )
    if report["unexpected_keys"]:
        names = sorted(report["unexpected_keys"])
        logger.warning(
            "%s: %d weights are not used, first %s",
            settings.source,
            len(names),
            names[0],
        )
    hf.eval().requires_grad_(False)
    move_into_modules(hf, layout)
    return hf


def _why_unproven(decoder: Decoder, proof: Proof) -> str:
    refuse_bad_weights(decoder)
    source = decoder.settings.source
    return (
        f"{source}: this {decoder.config.model_type} model fails the self-proof in "
        f"{decoder.settings.dtype}, relative errors: {proof}"
    )


@contextmanager
def _memory_errors(settings: ModelSettings, device: torch.device) -> Iterator[None]:
    """Turn an out-of-memory error into one sentence."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        raise InputError(
            f"{settings.source}: out of memory on {device.type} while loading in "
            f"{settings.dtype}"
        ) from error
