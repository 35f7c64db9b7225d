"""The floating-point operations that a training step cannot do without, counted from the shape of the model.

For one example of n tokens (special ones included, padding excluded), hidden size H, feed-forward size F, vocabulary V,
C classes; a multiplication with its addition counts as two operations:

    encoder layer    2 n (4 H^2 + 2 H F) + 4 n^2 H                      projections and feed-forward; attention
    decoder layer    2 n (8 H^2 + 2 H F) + 4 n^2 H + 2 n^2 H            and attention to the encoder; the own is causal
    classification   2 (H^2 + H C)                                      pooler or dense layer, and output
    masked token     2 (H^2 + H V) for BERT, 2 H V for BART             head of the language model

A backward pass takes twice what its forward pass takes. Fine-tuning is one pass over each example. Mask-tuning is a
second one over those examples in which a token is masked, and the head on masked tokens alone: at the rate r and with
n - 2 tokens that may be masked, 1 - (1 - r)^(n - 2) of the second pass and r (n - 2) tokens in expectation. Embeddings,
normalisation, dropout, softmax and the optimizer are left out: they are bound by memory, not by arithmetic.
"""

import numpy

from benchmarks.sizes import CLASSES, Size

BACKWARD = 2
SPECIAL_TOKENS = 2


def fine_tuning(size: Size, lengths: numpy.ndarray) -> float:
    """Operations of one forward and backward pass of the classifier over examples of these lengths."""
    lengths = numpy.asarray(lengths, dtype=float)
    head = 2 * size.hidden * (size.hidden + CLASSES)
    return float((1 + BACKWARD) * (_network(size, lengths) + head).sum())


def mask_tuning(size: Size, lengths: numpy.ndarray, mask_rate: float) -> float:
    """Operations of Mask-tuning in expectation: the pass of fine-tuning, and that of the language model."""
    lengths = numpy.asarray(lengths, dtype=float)
    maskable = lengths - SPECIAL_TOKENS
    read = 1 - (1 - mask_rate) ** maskable
    dense = size.hidden if size.family == "bert" else 0
    head = mask_rate * maskable * 2 * size.hidden * (dense + size.vocabulary)
    return fine_tuning(size, lengths) + float((1 + BACKWARD) * (read * _network(size, lengths) + head).sum())


def _network(size: Size, lengths: numpy.ndarray) -> numpy.ndarray:
    """Operations of one forward pass through all layers, for each length."""
    hidden, feed_forward = size.hidden, 2 * size.hidden * size.feed_forward
    attention = 4 * lengths**2 * hidden
    encoder = 2 * lengths * (4 * hidden**2 + feed_forward) + attention
    decoder = 2 * lengths * (8 * hidden**2 + feed_forward) + 1.5 * attention
    return size.layers * encoder + size.decoder_layers * decoder
