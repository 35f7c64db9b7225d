"""MLM augmentation: the copies against transformers' own masked language model, the loss against its formula."""

import pytest
import torch
from methods.conftest import gradients_by_hand, inputs_of, same_gradients, total, train
from torch.nn.functional import cross_entropy
from transformers import AutoModelForMaskedLM
from transformers.models.bart.modeling_bart import shift_tokens_right

from masktune import methods, perturb
from masktune.methods.mlm_augmentation import AugmentedTokens, keep_best
from masktune.models.masked_lm import load_masked_lm
from masktune.perturb import Vocabulary
from masktune.streams import Streams

STREAMS = Streams(1).at(2)
VOCABULARY = Vocabulary(44, (0, 1, 2, 3, 44), 45)


def test_a_copy_has_tokens_of_the_ten_best_where_tokens_were_chosen(checkpoints, family, batch):
    inputs = inputs_of(batch)
    masked_lm = load_masked_lm(checkpoints[family]).eval()
    copy = AugmentedTokens(0, rate=0.4)._reconstruct(masked_lm, inputs, VOCABULARY, STREAMS)
    candidates = perturb.maskable(inputs["input_ids"], inputs["attention_mask"], VOCABULARY)
    positions = perturb.choose_positions(candidates, 0.4, STREAMS["positions"], "at_least_one")
    assert positions.any(1).all() and torch.equal(copy[~positions], inputs["input_ids"][~positions])
    corrupted = perturb.mask(inputs["input_ids"], positions, VOCABULARY, STREAMS["symbols"], "bert")
    reference = AutoModelForMaskedLM.from_pretrained(checkpoints[family]).eval()
    extra = {}
    if family == "bart":
        extra["decoder_input_ids"] = shift_tokens_right(inputs["input_ids"], 1, 2)
    logits = reference(**{**inputs, "input_ids": corrupted}, **extra).logits[positions]
    logits[:, list(VOCABULARY.special_ids)] = -torch.inf
    best = logits.topk(10).indices
    assert (best == copy[positions][:, None]).any(1).all()
    assert (copy[positions] != logits.argmax(-1)).any()


def test_keep_best_keeps_the_probabilities_of_the_best():
    logits = torch.tensor([[3.0, 1.0, 2.0, 0.0]])
    assert keep_best(logits, 2).softmax(-1).tolist() == [pytest.approx([0.7311, 0, 0.2689, 0], abs=1e-4)]
    assert torch.equal(keep_best(logits, 9), logits)


def test_the_loss_is_the_mean_over_originals_and_one_copy_of_each(model, batch):
    method = methods.build("mlm_augmentation", copies=3)
    inputs, ordinary = inputs_of(batch), batch["input_ids"] > 3
    copies = [batch["input_ids"].where(~ordinary | (batch["input_ids"] == 44), 5 + number) for number in range(3)]
    padded = [copy * batch["attention_mask"] for copy in copies]  # as the collator pads a feature: with 0
    columns = {f"prepared_copy_{number}": copy for number, copy in enumerate(padded)}
    losses, actual = train(method, model, {**batch, **columns}, STREAMS)
    chosen = torch.randint(3, (len(batch["labels"]),), generator=STREAMS["copies"]).tolist()
    assert len(set(chosen)) > 1
    text = torch.stack([copies[number][row] for row, number in enumerate(chosen)])
    originals, changed = model(**inputs).logits, model(**{**inputs, "input_ids": text}).logits
    loss = (cross_entropy(originals, batch["labels"]) + cross_entropy(changed, batch["labels"])) / 2
    assert total(losses) == pytest.approx(loss.item(), rel=1e-5)
    same_gradients(actual, gradients_by_hand(model, loss))
