"""Writes tiny random models and their tokenizers into folders."""

import json
from pathlib import Path
from typing import Any

from doubletake.study.settings import ModelSettings

TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<｜User｜>{{ message['content'] }}"
    "{% endfor %}{% if add_generation_prompt %}<｜Assistant｜><think>\n{% endif %}"
)
SPECIAL = [
    "<｜begin▁of▁sentence｜>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<｜Assistant｜>",
    "<think>",
    "</think>",
]
CORPUS = [
    "Tom has 12 pens and buys 7 more pens. How many pens does Tom have now?",
    "First, 12 + 7 = 19. So the answer is 19. Wait, let me check that again.",
    "Alternatively, 7 + 12 = 19. Therefore, the answer is \\boxed{19}.",
]


def write_tokenizer(folder: Path, template: str = TEMPLATE) -> int:
    """Write a byte-level tokenizer with R1's markers; return its vocabulary size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=340,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS * 4, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": SPECIAL[0],
        "eos_token": SPECIAL[1],
        "pad_token": SPECIAL[1],
        "clean_up_tokenization_spaces": False,
        "chat_template": template,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return tokenizer.get_vocab_size()


def write_model(folder: Path, vocabulary: int, seed: int = 0) -> None:
    """Write a random Llama with grouped queries."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=1024,
        initializer_range=0.2,
        bos_token_id=0,
        eos_token_id=1,
    )
    LlamaForCausalLM(config).save_pretrained(folder)


def tokenizer_settings(folder: Path, **changes: Any) -> ModelSettings:
    """What loads the tokenizer of a folder."""
    values: dict[str, Any] = {
        "source": str(folder),
        "revision": None,
        "dtype": "float32",
        "device": "cpu",
        "end_of_thought": "</think>",
        "template_arguments": {},
    }
    return ModelSettings(**(values | changes))
