"""The tokenizer of the pocket model: byte-level BPE like that of Llama 3 and R1.

Words and numbers of the pocket language are single tokens, as common words and numbers
up to 999 are for Llama 3. Everything else is split into bytes, so any text can be
encoded and decoded. The special marks have the names and roles that they have in
DeepSeek-R1-Distill (`<think>` and others).
"""

import json
from collections import Counter
from collections.abc import Sequence

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import PreTrainedTokenizerFast

BOS = "<｜begin▁of▁sentence｜>"
EOS = "<｜end▁of▁sentence｜>"
USER, ASSISTANT = "<｜User｜>", "<｜Assistant｜>"
THINK, END_OF_THOUGHT = "<think>", "</think>"
ANSWER_PROMPT = f"\n{END_OF_THOUGHT}\n\nThe answer is \\boxed{{"
LARGEST_NUMBER = 200

# Llama 3's split with one change: a full stop and the line break after it are separate,
# so a thought that is cut at the end of a sentence keeps its tokens.
SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+|\s*[\r\n]+|\s+(?!\S)|\s+"
)
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}"
    "{% elif message['role'] == 'assistant' %}"
    "{{ '<｜Assistant｜>' + message['content'].split('</think>')[-1]"
    " + '<｜end▁of▁sentence｜>' }}"
    "{% else %}{{ raise_exception('only user and assistant messages') }}"
    "{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<｜Assistant｜><think>\\n' }}{% endif %}"
)


def prompt_text(question: str) -> str:
    """The question as the chat template renders it, up to the open thought."""
    return f"{BOS}{USER}{question}{ASSISTANT}{THINK}\n"


def completion_text(thought: str, answer: int) -> str:
    """Thought, end marker and boxed answer, without the end-of-sentence token."""
    return f"{thought}{ANSWER_PROMPT}{answer}}}."


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def train_tokenizer(
    texts: Sequence[str], *, merges: int, min_count: int
) -> PreTrainedTokenizerFast:
    """A tokenizer for texts of the pocket language.

    Args:
        texts: texts without any of the special marks.
        merges: number of byte-pair merges, for words that are not in the texts.
        min_count: number of times that a word must occur to become a single token.
    """
    split = _pre_tokenizer()
    words = Counter(word for text in texts for word, _ in split.pre_tokenize_str(text))
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = split
    learner.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=len(alphabet) + merges,
            initial_alphabet=alphabet,
            show_progress=False,
        ),
    )
    learned = learner.get_vocab()
    entries = sorted(learned, key=lambda entry: learned[entry])
    entries += [str(number) for number in range(LARGEST_NUMBER + 1)]
    entries += sorted(word for word, count in words.items() if count >= min_count)
    vocab = {entry: index for index, entry in enumerate(dict.fromkeys(entries))}
    pairs = [
        (left, right)
        for left, right in _learned_merges(learner)
        if left + right in vocab
    ]
    # As in Llama 3, a word that is in the vocabulary is one token without any merge.
    core = Tokenizer(models.BPE(vocab=vocab, merges=pairs, ignore_merges=True))
    core.pre_tokenizer = split
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens([AddedToken(mark, special=True) for mark in (BOS, EOS)])
    marks = (USER, ASSISTANT, THINK, END_OF_THOUGHT)
    core.add_tokens([AddedToken(mark, normalized=False) for mark in marks])
    core.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A",
        pair=f"{BOS} $A {BOS} $B",
        special_tokens=[(BOS, core.token_to_id(BOS))],
    )
    return _wrap(core)


def _learned_merges(learner: Tokenizer) -> list[tuple[str, str]]:
    """The merges of a trained BPE model in the order in which they were learned."""
    return [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]


def _wrap(core: Tokenizer) -> PreTrainedTokenizerFast:
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=EOS,
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
        chat_template=CHAT_TEMPLATE,
    )
