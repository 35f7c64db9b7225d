"""Bias models as features: what they tell of a train example, and that they have not seen it."""

import numpy
import pytest
from datasets import Dataset
from feature_examples import NAMES, accuracy, texts, trainer

from masktune import MaskTuneError, methods
from masktune.methods import bias
from masktune.methods.bias import BiasProbabilities

pytestmark = pytest.mark.slow


def test_a_regression_never_judges_what_it_has_seen(make_builder):
    """Each example has a word of its own, by which it can be remembered and never be guessed."""
    builder = make_builder()
    features = [[f"word{row}"] for row in range(40)]
    builder.texts = [(words,) for words in features]
    own = bias._regression("bag_of_words", bias.import_sklearn()).fit(features, builder.labels)
    assert accuracy(own.predict_proba(features), builder.labels) == 1
    assert numpy.allclose(BiasProbabilities("bag_of_words").compute(builder), 0.5, atol=0.1)


def test_a_small_model_never_judges_what_it_has_seen(make_builder, monkeypatch):
    builder = make_builder()
    trained = []

    def fine_tune(rows, epochs):
        trained.append(set(map(int, rows)))
        assert epochs == bias.SMALL_EPOCHS
        return len(trained)

    monkeypatch.setattr(builder, "fine_tune", fine_tune)
    monkeypatch.setattr(builder, "predict", lambda model: numpy.full((40, 2), float(model)))
    monkeypatch.setattr(bias, "SMALL_EXAMPLES", 12)
    actual = BiasProbabilities("small").compute(builder)[:, 0]
    assert len(trained[0]) == len(trained[1]) == 12 and not trained[0] & trained[1]
    assert {row for row in range(40) if actual[row] == 2} == trained[0]


def test_a_bias_model_knows_the_words_that_show_the_class(make_builder):
    builder = make_builder()
    assert accuracy(BiasProbabilities("bag_of_words").compute(builder), builder.labels) > 0.9


def test_overlap_is_a_bias_of_pairs_that_share_their_words(checkpoints, make_builder):
    builder = make_builder(paired=True)
    first = texts(40)
    labels = [number % 2 for number in range(40)]
    second = [text if label else other for text, other, label in zip(first, first[1:] + first[:1], labels, strict=True)]
    builder.train = Dataset.from_dict({**builder.tokenizer(first, second), "labels": labels})
    assert accuracy(BiasProbabilities("overlap").compute(builder), labels) > 0.9


@pytest.mark.parametrize("model", ["overlap", "hypothesis"])
def test_features_of_two_texts_are_refused_for_one(make_builder, model):
    with pytest.raises(MaskTuneError, match=f"bias_model '{model}' needs two texts.*choose 'bag_of_words' or 'small'"):
        make_builder().prepare(methods.build("product_of_experts", bias_model=model))


def with_cues(builder):
    builder.train = builder.train.add_column("cue", [[0, 1, -1, 1][number % 4] for number in range(40)])
    return builder


def test_the_bias_model_cue_counts_the_labels_of_each_cue(make_builder):
    """Labels take turns. Cue 0 is always of label 0, cue 1 of label 1, 10 and 20 times; no cue of label 0, 10 times."""
    actual = BiasProbabilities("cue").compute(with_cues(make_builder()))
    expected = [[11 / 12, 1 / 12], [1 / 22, 21 / 22], [11 / 12, 1 / 12], [1 / 22, 21 / 22]] * 10
    numpy.testing.assert_allclose(actual, expected, rtol=1e-6)


def test_the_column_that_only_a_feature_reads_does_not_reach_the_model(make_builder):
    builder = with_cues(make_builder())
    train = builder.prepare(methods.build("product_of_experts", bias_model="cue"))
    assert "cue" not in train.column_names and "prepared_bias" in train.column_names
    assert trainer(builder, methods.build("product_of_experts", bias_model="cue"), train).train().global_step == 5


def test_other_cues_are_another_feature(make_builder):
    method = methods.build("reweighting", bias_model="cue")
    first, second = with_cues(make_builder()), make_builder()
    second.train = second.train.add_column("cue", [-1] * 40)
    before = first.prepare(method)["prepared_bias"][0]
    assert before != second.prepare(method)["prepared_bias"][0] == pytest.approx([0.5, 0.5])


def test_the_bias_model_cue_is_refused_where_no_column_says_what_the_cue_is(make_builder):
    with pytest.raises(MaskTuneError, match="bias_model 'cue' needs a train set with a column 'cue'"):
        make_builder().prepare(methods.build("reweighting", bias_model="cue"))


def test_a_class_with_too_few_examples_is_named(make_builder):
    builder = make_builder(count=12, labels=[0] * 9 + [1] * 3)
    with pytest.raises(MaskTuneError, match="class 1 has 3 train examples; the bias model needs 5 of each"):
        builder.prepare(methods.build("reweighting", bias_model="bag_of_words"))


def test_a_class_without_examples_has_probability_0(make_builder):
    builder = make_builder()
    builder.label_names = (*NAMES, "neither")
    assert (BiasProbabilities("bag_of_words").compute(builder)[:, 2] == 0).all()
