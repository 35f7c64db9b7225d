"""Features of train examples: what they are, that they are kept, and that they reach the method."""

import json
from dataclasses import replace

import numpy
import pytest
from feature_examples import NAMES, accuracy, texts, trainer
from transformers import AutoModelForSequenceClassification

from masktune import MaskTuneError, MaskTuningTrainer, methods
from masktune.methods import bias
from masktune.methods.bias import BiasProbabilities
from masktune.methods.confidence_regularisation import TeacherProbabilities
from masktune.methods.masker import Keywords
from masktune.methods.mlm_augmentation import AugmentedTokens
from masktune.training import features as preparation

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", ["fine_tuning", "mask_tuning", "free_lb", "span_cutoff"])
def test_a_method_that_needs_nothing_gets_its_train_set_back_untouched(make_builder, name, tmp_path):
    builder = make_builder()
    assert builder.prepare(methods.build(name)) is builder.train
    assert not builder.seconds


@pytest.mark.parametrize(
    "family, name, options",
    [
        ("bert", "mask_tuning+reweighting", {"bias_model": "small"}),
        ("roberta", "confidence_regularisation", {"bias_model": "bag_of_words"}),
        ("bart", "mlm_augmentation", {"copies": 2}),
        ("roberta", "masker", {}),
        ("bart", "mask_tuning+r_drop+product_of_experts+forgettable", {"bias_model": "hypothesis"}),
    ],
)
def test_what_is_prepared_reaches_the_method_and_leaves_evaluation_alone(make_builder, family, name, options):
    builder = make_builder(family, paired="hypothesis" in options.values())
    method = methods.build(name, **options)
    train = builder.prepare(method)
    assert set(builder.seconds) == set(method.needs)
    run = trainer(builder, method, train)
    run.train()
    losses = [entry["loss"] for entry in run.state.log_history if "loss" in entry]
    assert len(losses) == run.state.max_steps and all(0 <= loss < 20 for loss in losses)
    assert run.predict(train).predictions.shape == (40, 2)


def test_columns_are_the_rows_of_the_feature(make_builder):
    builder = make_builder()
    method = methods.build("confidence_regularisation+forgettable", bias_model="bag_of_words")
    train = builder.prepare(method)
    assert train.column_names == [*builder.train.column_names, *(f"prepared_{name}" for name in method.needs)]
    assert numpy.allclose(train["prepared_teacher"], builder._values(TeacherProbabilities(), "teacher"))
    assert numpy.allclose(numpy.sum(train["prepared_bias"], axis=1), 1, atol=1e-6)
    assert set(train["prepared_forgotten"]) <= {True, False}


def test_a_feature_is_made_once_and_anew_where_something_that_defines_it_changes(make_builder, monkeypatch):
    made_times = []
    compute = BiasProbabilities.compute
    monkeypatch.setattr(BiasProbabilities, "compute", lambda self, given: made_times.append(1) or compute(self, given))
    words, small = (methods.build("reweighting", bias_model=model) for model in ("bag_of_words", "small"))
    first = make_builder().prepare(words)["prepared_bias"][:]
    assert make_builder().prepare(words)["prepared_bias"][:] == first
    assert make_builder(family="roberta").prepare(words)["prepared_bias"][:] == first  # of words, whoever reads them
    assert len(made_times) <= 2
    made_times.clear()
    monkeypatch.setattr(bias, "SMALL_EPOCHS", 1)
    make_builder(labels=[0, 0] + [number % 2 for number in range(38)]).prepare(words)
    make_builder().prepare(small)
    make_builder(epochs=2).prepare(words)
    assert len(made_times) == 2
    warmer = make_builder()
    warmer.args.learning_rate = 2e-3
    warmer.prepare(small)
    assert len(made_times) == 3


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("lr_scheduler_kwargs", {"num_cycles": 2}),
        ("data_seed", 7),
        ("optim_args", "eps=1e-6"),
        ("learning_rate", 0.1),
        ("bf16", True),
        ("dataloader_drop_last", True),
        ("label_smoothing_factor", 0.1),
    ],
)
def test_what_changes_a_training_changes_what_it_is_kept_under(make_builder, setting, value):
    builder = make_builder()
    before = builder._identity(("training",))
    setattr(builder.args, setting, value)
    assert builder._identity(("training",)) != before


@pytest.mark.parametrize("column", ["input_ids", "token_type_ids", "attention_mask", "labels"])
def test_what_changes_an_example_changes_what_it_is_kept_under(make_builder, column):
    builder, other = make_builder(), make_builder()
    values = [list(row) if isinstance(row, list) else row for row in other.train[column][:]]
    values[3] = 1 - values[3] if column == "labels" else [1 - values[3][0], *values[3][1:]]
    other.train = other.train.remove_columns(column).add_column(column, values)
    assert builder._identity(()) == make_builder()._identity(()) != other._identity(())


def test_a_damaged_feature_is_made_again(make_builder, capsys):
    words = methods.build("reweighting", bias_model="bag_of_words")
    sound = make_builder().prepare(words)["prepared_bias"][:]
    [values] = preparation.cache.root().glob("prepared/bias-*/values.safetensors")
    content = bytearray(values.read_bytes())
    content[-2] ^= 1
    values.write_bytes(content)
    assert make_builder().prepare(words)["prepared_bias"][:] == sound
    assert "values.safetensors is not what was written; it is put aside" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_a_checkpoint_is_known_by_its_weights_wherever_it_lies(make_builder, tmp_path, name):
    builder, known = make_builder(), []
    for place, weights in (("one", b"a"), ("moved", b"a"), ("trained on", b"b")):
        (tmp_path / place).mkdir()
        (tmp_path / place / name).write_bytes(weights)
        builder.checkpoint = str(tmp_path / place)
        known.append(builder._identity(("checkpoint",)))
    assert known[0] == known[1] != known[2]


def test_another_seed_is_another_preparation(make_builder):
    one, other = make_builder(), make_builder()
    other.base_seed = 1
    copy = AugmentedTokens(0, rate=0.5)
    assert not numpy.array_equal(one._values(copy, "copy"), other._values(copy, "copy"))


def test_the_record_says_what_made_a_feature_and_how_long_it_took(make_builder, kept, monkeypatch):
    builder = make_builder()
    builder.prepare(methods.build("reweighting", bias_model="bag_of_words"))
    again = make_builder()
    again.prepare(methods.build("product_of_experts", bias_model="bag_of_words"))
    assert again.seconds == builder.seconds and builder.seconds["bias"] > 0
    [record] = preparation.cache.root().glob("prepared/bias-*/record.json")
    assert json.loads(record.read_text())["made_of"]["settings"] == {"model": "bag_of_words"}
    assert {path.name for path in record.parent.iterdir()} == {
        "record.json",
        "values.safetensors",
        preparation.cache.MADE,
    }


# ---- the other features


def test_a_teacher_is_fine_tuning_on_all_examples_asked_about_them(make_builder):
    builder = make_builder(epochs=8)
    actual = builder._values(TeacherProbabilities(), "teacher")
    assert accuracy(actual, builder.labels) >= 0.8
    plain = AutoModelForSequenceClassification.from_pretrained(builder.fine_tune()).eval()
    batch = builder.tokenizer(texts(40), padding=True, return_tensors="pt")
    assert numpy.allclose(actual, plain(**batch).logits.softmax(-1).detach().numpy(), atol=1e-5)


def test_one_training_serves_a_teacher_and_keywords(make_builder, monkeypatch):
    builder, trainings = make_builder(), []
    train = builder._train
    monkeypatch.setattr(builder, "_train", lambda *given: trainings.append(given) or train(*given))
    builder.prepare(methods.build("confidence_regularisation", bias_model="bag_of_words"))
    builder.prepare(methods.build("masker"))
    assert len(trainings) == 1
    [record] = preparation.cache.root().glob("prepared/fine-tuned-*/record.json")
    assert (
        min(builder.seconds["teacher"], builder.seconds["keywords"]) >= json.loads(record.read_text())["seconds"] - 0.01
    )


def test_keywords_are_the_tokens_with_most_attention_in_every_example(make_builder, family):
    builder = make_builder(family)
    marks = Keywords(per_class=3).compute(builder)
    token_ids = numpy.concatenate(builder.train["input_ids"][:])
    assert marks.shape == token_ids.shape
    keywords = set(token_ids[marks])
    assert len(keywords) == 6 and not keywords & set(builder.vocabulary.special_ids)
    assert (numpy.isin(token_ids, list(keywords)) == marks).all()


def test_copies_are_as_long_as_their_examples_and_of_ordinary_tokens(make_builder, family):
    builder = make_builder(family)
    train = builder.prepare(methods.build("mlm_augmentation", copies=2, mask_rate=0.3))
    changed = 0
    for original, first, second in zip(
        *(train[name] for name in ("input_ids", "prepared_copy_0", "prepared_copy_1")), strict=True
    ):
        assert len(original) == len(first) == len(second)
        assert first[0] == original[0] and first[-1] == original[-1]
        changed += first != original
    assert changed > 20 and train["prepared_copy_0"][:] != train["prepared_copy_1"][:]


def test_the_weak_model_forgets_what_contradicts_the_cue(make_builder):
    """The class shows in the words of all but four examples, which a linear model of words cannot keep."""
    labels = [number % 2 for number in range(60)]
    for row in (0, 1, 2, 3):
        labels[row] = 1 - labels[row]
    builder = make_builder(count=60)
    builder.train = builder.train.remove_columns("labels").add_column("labels", labels)
    builder.__dict__.pop("labels", None)
    marked = builder._values(methods.build("forgettable", weak_epochs=8).needs["forgotten"], "forgotten")
    assert marked[:4].mean() > marked[4:].mean() + 0.4


# ---- mistakes


def test_a_trainer_without_the_column_says_how_to_get_it(make_builder):
    builder = make_builder()
    with pytest.raises(MaskTuneError, match="needs the column 'prepared_bias'.*masktune.prepare"):
        trainer(builder, methods.build("product_of_experts"), builder.train)


def test_a_train_set_that_cannot_carry_columns_is_named(make_builder):
    builder = make_builder()
    builder = replace(builder, train=list(builder.train))
    with pytest.raises(MaskTuneError, match="the train set is a list; 'reweighting' adds columns"):
        builder.prepare(methods.build("reweighting"))


def test_a_folder_without_weights_is_named(make_builder, tmp_path):
    builder = make_builder()
    builder.checkpoint = str(tmp_path)
    with pytest.raises(MaskTuneError, match=r"holds no weights \(\*.safetensors, \*.bin\)"):
        builder._identity(("checkpoint",))


def test_prepare_is_one_call(make_builder):
    builder = make_builder()
    method = methods.build("reweighting", bias_model="bag_of_words")
    train = preparation.prepare(method, builder.train, builder.tokenizer, builder.args, builder.checkpoint, NAMES)
    assert train["prepared_bias"][:] == builder.prepare(method)["prepared_bias"][:]


def test_auxiliary_models_are_trained_with_the_dropout_masks_asked_for(make_builder, monkeypatch):
    """And are not taken for each other in the cache."""
    asked = []

    class Noting(MaskTuningTrainer):
        def __init__(self, *given, fast_dropout, **named):
            asked.append(fast_dropout)
            super().__init__(*given, fast_dropout=fast_dropout, **named)

    monkeypatch.setattr(preparation, "MaskTuningTrainer", Noting)
    folders = [replace(make_builder(), fast_dropout=fast).fine_tune() for fast in (None, False, None)]
    assert asked == [None, False]
    assert folders[0] == folders[2] != folders[1]


def test_the_identity_of_what_is_in_the_cache_has_no_word_of_the_default(make_builder):
    assert set(make_builder()._identity(("training",))["training"]) == set(preparation.TRAINING)
