"""Small batches, and the forward pass of each family written out by hand, to check methods that reach into it."""

import pytest
import torch
from tiny_models import WORDS
from transformers import AutoTokenizer

from masktune import perturb
from masktune.models.joint import MaskTuningModel

NAMES = ("negative", "positive")


def batch_of(checkpoint, paired=False):
    """Eight examples of four to eight words, with labels; and the vocabulary."""
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    texts = [" ".join(WORDS[start : start + 4 + start % 5]) for start in range(0, 24, 3)]
    pairs = list(reversed(texts)) if paired else None
    batch = dict(tokenizer(texts, pairs, padding=True, return_tensors="pt"))
    return {**batch, "labels": torch.arange(len(texts)) % 2}, perturb.Vocabulary.of(tokenizer)


def full(batch):
    """The batch with every column that some method needs."""
    size, ids = len(batch["labels"]), batch["input_ids"]
    chances = torch.tensor([[0.3, 0.7]]).repeat(size, 1)
    keywords = (ids % 2 == 0).long()
    copies = {f"copy_{number}": ids for number in range(4)}
    prepared = {"bias": chances, "teacher": chances, "keywords": keywords, "forgotten": torch.ones(size), **copies}
    return {**batch, **{f"prepared_{name}": values for name, values in prepared.items()}}


def load(checkpoint, encoder="shared"):
    return MaskTuningModel.from_pretrained(checkpoint, NAMES, seed=3, encoder=encoder).eval()


@pytest.fixture(params=[False, True], ids=["single", "paired"])
def batch(request, checkpoints, family):
    return batch_of(checkpoints[family], request.param)[0]


@pytest.fixture
def model(checkpoints, family):
    return load(checkpoints[family], None)


def inputs_of(batch):
    return {name: values for name, values in batch.items() if name != "labels" and not name.startswith("prepared_")}


def train(method, model, batch, streams):
    """Backward through every term in turn, as the trainer does: (losses by name in order, gradients by name)."""
    model.zero_grad()
    losses = []
    for term in method.terms(model, batch, streams):
        (term.weight * term.loss).backward(retain_graph=term.keep_graph)
        losses.append((term.name, term.weight, term.loss.item()))
    return losses, gradients(model)


def total(losses):
    return sum(weight * value for _, weight, value in losses)


def gradients(model):
    return {name: p.grad.clone() for name, p in model.classifier.named_parameters() if p.grad is not None}


def gradients_by_hand(model, loss):
    model.zero_grad()
    loss.backward()
    return gradients(model)


def same_gradients(actual, expected):
    assert actual.keys() == expected.keys()
    for name, gradient in actual.items():
        torch.testing.assert_close(gradient, expected[name], rtol=1e-3, atol=1e-6, msg=name)


# ---- the classifiers of transformers, layer by layer


def _unchanged(hidden, number=None):
    return hidden


def logits_by_hand(classifier, inputs, words=_unchanged, embeddings=_unchanged, feed_forward=_unchanged, unseen=None):
    """Logits, with what the model computes on the way passed through functions.

    These are the word embeddings, the embeddings and the feed-forward outputs of each layer (hidden, number); nothing
    attends to tokens `unseen` [B, L]. For BART's decoder the functions get what it reads in the place of the tokens:
    without its start, from the second place on.
    """
    by_hand = _bart_by_hand if classifier.config.model_type == "bart" else _bert_by_hand
    unseen = torch.zeros_like(inputs["input_ids"], dtype=torch.bool) if unseen is None else unseen
    return by_hand(classifier, inputs, words, embeddings, feed_forward, unseen)


def _additive(seen):
    return torch.where(seen.bool(), 0.0, -1e9)


def _bert_by_hand(classifier, inputs, words, embeddings, feed_forward, unseen):
    base, input_ids, mask = classifier.base_model, inputs["input_ids"], inputs["attention_mask"]
    positions = torch.arange(input_ids.shape[1])[None]
    if classifier.config.model_type == "roberta":
        positions = mask.cumsum(1) * mask + classifier.config.pad_token_id
    looked_up = words(base.embeddings.word_embeddings(input_ids))
    types = inputs.get("token_type_ids", torch.zeros_like(input_ids))
    hidden = embeddings(base.embeddings(inputs_embeds=looked_up, position_ids=positions, token_type_ids=types))
    seen = _additive(mask.bool() & ~unseen)[:, None, None, :].expand(-1, -1, mask.shape[1], -1)
    for number, layer in enumerate(base.encoder.layer):
        attended = layer.attention(hidden, seen)[0]
        output = feed_forward(layer.output.dense(layer.intermediate(attended)), number)
        hidden = layer.output.LayerNorm(output + attended)
    return classifier.classifier(base.pooler(hidden) if classifier.config.model_type == "bert" else hidden)


def _bart_by_hand(classifier, inputs, words, embeddings, feed_forward, unseen):
    base, input_ids, mask = classifier.base_model, inputs["input_ids"], inputs["attention_mask"]
    size = mask.shape[1]
    seen = _additive(mask.bool() & ~unseen)[:, None, None, :].expand(-1, -1, size, -1)

    def later(change):
        return lambda hidden, *number: torch.cat(
            [hidden[:, :1], change(torch.cat([hidden[:, 1:], hidden[:, :1]], 1), *number)[:, :-1]], 1
        )

    def embedded(stack, token_ids, words, embeddings):
        looked_up = words(stack.embed_tokens(token_ids))
        return embeddings(stack.layernorm_embedding(looked_up + stack.embed_positions(token_ids)))

    def finished(layer, hidden, feed_forward, number):
        return layer.final_layer_norm(hidden + feed_forward(layer.fc2(layer.activation_fn(layer.fc1(hidden))), number))

    hidden = embedded(base.encoder, input_ids, words, embeddings)
    for number, layer in enumerate(base.encoder.layers):
        hidden = layer.self_attn_layer_norm(hidden + layer.self_attn(hidden, attention_mask=seen)[0])
        hidden = finished(layer, hidden, feed_forward, number)
    encoded, depth = hidden, len(base.encoder.layers)
    start = torch.full_like(input_ids[:, :1], classifier.config.decoder_start_token_id)
    hidden = embedded(base.decoder, torch.cat([start, input_ids[:, :-1]], 1), later(words), later(embeddings))
    known = torch.cat([torch.ones_like(unseen[:, :1]), ~unseen[:, :-1]], 1)
    causal = _additive(torch.ones(size, size).tril()[None, None] * known[:, None, None, :])
    for number, layer in enumerate(base.decoder.layers):
        hidden = layer.self_attn_layer_norm(hidden + layer.self_attn(hidden, attention_mask=causal)[0])
        crossed = layer.encoder_attn(hidden, key_value_states=encoded, attention_mask=seen)[0]
        hidden = finished(layer, layer.encoder_attn_layer_norm(hidden + crossed), later(feed_forward), number + depth)
    return classifier.classification_head(hidden[torch.arange(len(hidden)), mask.sum(1) - 1])
