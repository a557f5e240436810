"""What a Llama must compute and read: floating-point operations and bytes.

Counted are the matrix products of the layers, of attention and of the unembedding; a
multiplication and an addition are two operations. With W the weights of the layers'
matrices, d the width of the residual stream and H the number of heads of width h:

    forward pass    2 W tokens + 4 layers H h pairs + 2 d logits
    attribution     twice the part of W: forward, and gradients of states, because the
                    weights are frozen; three times the part of the pairs, because both
                    factors of each product of attention have a gradient

A pair is a query and a key that it sees: n (n + 1) / 2 in a causal pass over n tokens.
Norms, activations and rotary positions are not counted. This is useful work: padding,
hidden pairs and what a kernel computes twice are not in it.
"""

from dataclasses import dataclass

from transformers import LlamaConfig

SHAPES = {
    # The published config.json of deepseek-ai/DeepSeek-R1-Distill-Llama-8B.
    "8b": {
        "vocab_size": 128256,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131072,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {
            "rope_type": "llama3",
            "rope_theta": 500000.0,
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 8192,
        },
    },
    "tiny": {
        "vocab_size": 512,
        "hidden_size": 32,
        "intermediate_size": 80,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
    },
}
SHAPE_OF = {"deepseek-ai/DeepSeek-R1-Distill-Llama-8B": "8b"}
"""The shape of a model on the hub."""


def config_of(shape: str) -> LlamaConfig:
    """Configuration of one of the `SHAPES`, without special tokens."""
    return LlamaConfig(**SHAPES[shape], bos_token_id=None, eos_token_id=None)


@dataclass(frozen=True)
class Work:
    """What passes through a model."""

    tokens: int = 0
    """Tokens that pass through the layers."""
    pairs: int = 0
    """Pairs of a query and a key that it sees, in one head of one layer."""
    logits: int = 0
    """Logits that are computed."""

    def __add__(self, other: "Work") -> "Work":
        return Work(
            self.tokens + other.tokens,
            self.pairs + other.pairs,
            self.logits + other.logits,
        )


def reading(new: int, before: int = 0, logits: int = 0) -> Work:
    """A causal pass over new tokens, which also see the tokens before them."""
    return Work(new, new * before + new * (new + 1) // 2, logits)


@dataclass(frozen=True)
class Arithmetic:
    """Operations and bytes of a Llama whose numbers have `itemsize` bytes."""

    config: LlamaConfig
    itemsize: int

    @property
    def layer_weights(self) -> int:
        """Weights of the matrices of all layers."""
        config, d = self.config, self.config.hidden_size
        heads = config.num_attention_heads + config.num_key_value_heads
        layer = 2 * d * heads * config.head_dim + 3 * d * config.intermediate_size
        return config.num_hidden_layers * layer

    @property
    def parameters(self) -> int:
        """All parameters: layers, embedding, unembedding and norms."""
        d, layers = self.config.hidden_size, self.config.num_hidden_layers
        return self.layer_weights + 2 * self.unembedding + (2 * layers + 1) * d

    @property
    def unembedding(self) -> int:
        """Weights of the unembedding."""
        return self.config.vocab_size * self.config.hidden_size

    @property
    def weight_bytes(self) -> int:
        """Bytes of all parameters."""
        return self.parameters * self.itemsize

    @property
    def step_bytes(self) -> int:
        """Bytes of the weights that a decoding step reads, however large its batch."""
        return (self.layer_weights + self.unembedding) * self.itemsize

    @property
    def cache_bytes(self) -> int:
        """Bytes of the keys and values of one token."""
        config = self.config
        heads = config.num_hidden_layers * config.num_key_value_heads
        return 2 * heads * config.head_dim * self.itemsize

    def forward_flops(self, work: Work) -> int:
        """Operations of a forward pass."""
        logits = 2 * self.config.hidden_size * work.logits
        return self._matrices(work) + self._attention(work) + logits

    def attribution_flops(self, work: Work, words: int, positions: int) -> int:
        """Operations of attribution by gradients, with log-odds as the metric.

        The metric computes all logits of a position, computes them again in the
        backward pass and then their gradient. The logits of the backtrack words are
        kept, so they are computed once, and their gradient.
        """
        logits = positions * (3 * self.config.vocab_size + 2 * words)
        metric = 2 * self.config.hidden_size * logits
        return 2 * self._matrices(work) + 3 * self._attention(work) + metric

    def _matrices(self, work: Work) -> int:
        return 2 * self.layer_weights * work.tokens

    def _attention(self, work: Work) -> int:
        width = self.config.num_attention_heads * self.config.head_dim
        return 4 * self.config.num_hidden_layers * width * work.pairs
