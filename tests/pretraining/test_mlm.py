import hashlib
import itertools
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer

from masktune.data import world
from masktune.errors import MaskTuneError
from masktune.models.masked_lm import MaskedLM
from masktune.models.spec import Adaptation
from masktune.pretraining import mlm, small_models
from masktune.pretraining.mlm import Recipe
from masktune.training.cpu import dropout

RECIPE = Recipe(steps=12, batch_size=16, learning_rate=2e-3, mask_rate=0.2, dropout=False)
FAMILIES = tuple(small_models.SMALL_MODELS)


@pytest.fixture(scope="module")
def stories() -> list[str]:
    return world.unlabelled()[:600]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_small_model_learns_in_a_few_steps_and_is_repeatable(family, stories):
    losses = []
    for _ in range(2):
        small = small_models.SMALL_MODELS[family](stories, 0)
        losses.append(mlm.train_mlm(MaskedLM(small.model), small.tokenizer, stories, RECIPE, 0))
    assert losses[0] == losses[1]
    assert sum(losses[0][-3:]) < sum(losses[0][:3]) - 1.0


@pytest.mark.parametrize(
    ("smallest", "dropped", "asked", "fast"),
    [
        (1, True, None, True),
        (10_000, True, None, False),
        (10_000, True, True, True),
        (1, True, False, False),
        (1, False, None, False),
    ],
)
def test_all_but_small_models_draw_their_dropout_masks_faster(stories, monkeypatch, smallest, dropped, asked, fast):
    monkeypatch.setattr(dropout, "SMALLEST_HIDDEN_SIZE", smallest)
    drawn = []

    def counted(*given, draw=dropout.bernoulli_, **named):
        drawn.append(given)
        return draw(*given, **named)

    monkeypatch.setattr(dropout, "bernoulli_", counted)
    small = small_models.bert(stories, 0)
    masked_lm, recipe = MaskedLM(small.model), replace(RECIPE, steps=1, dropout=dropped, fast_dropout=asked)
    assert mlm.uses_fast_dropout(masked_lm, recipe) is fast
    drawn.clear()  # what was tried
    mlm.train_mlm(masked_lm, small.tokenizer, stories, recipe, 0)
    assert bool(drawn) is fast


def order_of(lengths, batch_size, seed, count):
    """The indices of the sequences of the first batches."""
    sequences = [torch.full((length,), number) for number, length in enumerate(lengths)]
    batches = itertools.islice(mlm._batches(sequences, batch_size, seed), count)
    return [[int(sequence[0]) for sequence in batch] for batch in batches]


def test_the_order_of_a_seed_is_frozen():
    """The checkpoints of the stored runs were trained in this order."""
    lengths = [7, 3, 9, 3, 12, 5, 7, 3, 11, 4, 6, 9, 2, 8, 5, 10, 3, 7]
    first = [[10, 6, 17, 0], [13, 11, 2, 15], [8, 4], [12, 7, 3, 16], [1, 9, 14, 5]]
    second = [[10, 17, 6, 0], [1, 9, 14, 5], [12, 3, 16, 7], [13, 2, 11, 15], [8, 4]]
    assert order_of(lengths, 4, 3, 10) == first + second


@pytest.mark.parametrize(("batch_size", "expected"), [(3, "b2421dc7eea7497e"), (16, "4c46e9f48667c289")])
def test_the_order_of_several_pools_and_passes_is_frozen(batch_size, expected):
    lengths = torch.randint(2, 40, (2003,), generator=torch.Generator().manual_seed(9)).tolist()
    batches = str(order_of(lengths, batch_size, batch_size, 1500))
    assert hashlib.sha256(batches.encode()).hexdigest()[:16] == expected


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seed_draws_the_weights(family, stories):
    first, second = (small_models.SMALL_MODELS[family](stories, seed).model for seed in (0, 1))
    assert not torch.equal(first.get_input_embeddings().weight, second.get_input_embeddings().weight)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_saved_small_model_is_what_transformers_loads(family, stories, tmp_path):
    small = small_models.SMALL_MODELS[family](stories, 0)
    small.tokenizer.save_pretrained(tmp_path)
    small.model.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    model, info = AutoModelForMaskedLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"]
    assert model.config.model_type == family
    assert model.config.vocab_size == len(tokenizer)
    pair = ("The old doctor waited.", "Zoe thanked the doctor.")
    assert tokenizer(*pair)["input_ids"] == small.tokenizer(*pair)["input_ids"]
    assert tokenizer.unk_token_id not in tokenizer(stories[0])["input_ids"]
    assert 100_000 < model.num_parameters() < 300_000


def test_tokenizers_put_special_tokens_as_published(stories):
    bert, roberta = small_models.wordpiece(stories), small_models.byte_level_bpe(stories)
    ids = bert("the doctor", "the baker")
    assert bert.convert_ids_to_tokens(ids["input_ids"]) == ["[CLS]", "the", "doctor", "[SEP]", "the", "baker", "[SEP]"]
    assert ids["token_type_ids"] == [0, 0, 0, 0, 1, 1, 1]
    tokens = roberta.convert_ids_to_tokens(roberta("The doctor", "The baker")["input_ids"])
    assert (tokens[0], tokens[-1]) == ("<s>", "</s>")
    middle = tokens.index("</s>")
    assert tokens[middle : middle + 2] == ["</s>", "</s>"]
    assert (bert.pad_token_id, roberta.pad_token_id) == (0, 1)
    masked = roberta("The <mask> waited")["input_ids"]
    assert roberta.mask_token_id in masked
    assert "Ġ" not in roberta.convert_ids_to_tokens(masked)


def test_packed_text_is_cut_into_chunks_between_special_tokens(stories):
    tokenizer = small_models.wordpiece(stories)
    chunks = mlm.tokenise(tokenizer, stories, replace(RECIPE, packed=True, max_length=32))
    assert {len(chunk) for chunk in chunks[:-1]} == {32}
    assert all(int(chunk[0]) == tokenizer.cls_token_id and int(chunk[-1]) == tokenizer.sep_token_id for chunk in chunks)
    body = [int(token) for chunk in chunks for token in chunk[1:-1]]
    assert body == [token for ids in tokenizer(stories, add_special_tokens=False)["input_ids"] for token in ids]


def test_the_head_learns_at_its_own_rate(stories):
    small = small_models.bert(stories, 0)
    masked_lm = MaskedLM(small.model)
    groups = mlm._group_parameters(masked_lm, replace(RECIPE, learning_rate=1e-4, head_learning_rate=1e-3))
    rates = {id(parameter): group["lr"] for group in groups for parameter in group["params"]}
    assert rates[id(small.model.cls.predictions.transform.dense.weight)] == 1e-3
    assert rates[id(small.model.cls.predictions.bias)] == 1e-3
    assert rates[id(small.model.get_input_embeddings().weight)] == 1e-4
    assert len(rates) == len(list(masked_lm.parameters()))


def test_a_new_head_starts_at_the_frequencies_of_the_tokens(stories):
    small = small_models.bert(stories, 0)
    mlm.start_bias_at_unigrams(MaskedLM(small.model), small.tokenizer, stories)
    bias = small.model.cls.predictions.bias
    the, doctor = small.tokenizer.convert_tokens_to_ids(["the", "doctor"])
    assert torch.isclose(bias.exp().sum(), torch.tensor(1.0), atol=1e-4)
    assert bias[the] > bias[doctor] > bias[small.tokenizer.convert_tokens_to_ids("[unused]")]


def test_the_measure_of_a_language_model_can_be_repeated(stories):
    small = small_models.bert(stories, 0)
    first, second = (
        mlm.evaluate_mlm(MaskedLM(small.model), small.tokenizer, stories[:100], RECIPE, 0) for _ in range(2)
    )
    assert first == second
    assert first["masked_tokens"] > 200
    assert 0 <= first["accuracy"] < 0.1


def test_text_without_tokens_is_refused(stories):
    small = small_models.bert(stories, 0)
    with pytest.raises(MaskTuneError, match="without a single token"):
        mlm.train_mlm(MaskedLM(small.model), small.tokenizer, ["", ""], RECIPE, 0)


def test_a_tokenizer_without_mask_token_is_refused(stories):
    small = small_models.bert(stories, 0)
    small.tokenizer.mask_token = None
    with pytest.raises(MaskTuneError, match="has no mask token"):
        mlm.train_mlm(MaskedLM(small.model), small.tokenizer, stories, RECIPE, 0)


def test_the_recipe_of_an_adaptation_is_frozen():
    """Its identity names the checkpoints in the cache; what is new in a recipe must leave it as it is."""
    assert Recipe.of(Adaptation(steps=9)).identity() == {"steps": 9, "head_learning_rate": 1e-3, "packed": True}


def test_matrices_inside_the_layers_learn_by_muon_and_the_rest_by_adamw(family, stories):
    small = small_models.SMALL_MODELS[family](stories, 0)
    masked_lm, recipe = MaskedLM(small.model), replace(RECIPE, matrix_learning_rate=4e-3)
    matrices, rest = mlm._optimizers(masked_lm, recipe)
    inside = [parameter for group in matrices.param_groups for parameter in group["params"]]
    others = [parameter for group in rest.param_groups for parameter in group["params"]]
    assert {*map(id, inside), *map(id, others)} == set(map(id, masked_lm.parameters()))
    assert len(inside) + len(others) == len(list(masked_lm.parameters()))
    words = small.model.get_input_embeddings().weight
    assert any(parameter is words for parameter in others) and {parameter.ndim for parameter in inside} == {2}
    losses = mlm.train_mlm(masked_lm, small.tokenizer, stories, recipe, 0)
    assert sum(losses[-3:]) < sum(losses[:3]) - 1.0


def test_without_a_rate_for_matrices_adamw_trains_all(stories):
    masked_lm = MaskedLM(small_models.bert(stories, 0).model)
    [optimizer] = mlm._optimizers(masked_lm, RECIPE)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(masked_lm.parameters()))


def test_looks_are_told_how_many_steps_are_done(stories):
    small, seen = small_models.bert(stories, 0), []
    mlm.train_mlm(MaskedLM(small.model), small.tokenizer, stories, replace(RECIPE, steps=3), 0, look=seen.append)
    assert seen == [1, 2, 3]


def test_few_texts_are_read_with_other_masks_until_enough_tokens_are_masked(stories, monkeypatch):
    small = small_models.bert(stories, 0)
    measured = []
    for wanted in (1, 500):
        monkeypatch.setattr(mlm, "MASKED_TOKENS", wanted)
        measured.append(mlm.evaluate_mlm(MaskedLM(small.model), small.tokenizer, stories[:16], RECIPE, 0))
    assert measured[0]["masked_tokens"] < 200 < 500 <= measured[1]["masked_tokens"] < 700
    assert mlm.evaluate_mlm(MaskedLM(small.model), small.tokenizer, ["", ""], RECIPE, 0)["masked_tokens"] == 0
