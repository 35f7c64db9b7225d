"""A loss of the user's is minimised as a stock Trainer does it, and in Mask-tuning it is the classification term."""

from functools import partial
from types import MethodType

import pytest
import torch
from tiny_runs import METHOD, StockOrder, classifier, classifier_of, classifier_weights, losses
from torch.nn.functional import cross_entropy
from transformers import BertForSequenceClassification, Trainer, TrainingArguments
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.trainer_pt_utils import LabelSmoother

from masktune import FineTuning, MaskTuneError, MaskTuning, MaskTuningTrainer, methods
from masktune.features import PREFIX
from masktune.methods.base import CrossEntropy
from masktune.training.stock.user_loss import is_cross_entropy

WEIGHTS = torch.tensor([0.3, 1.7])


def weighted(outputs, labels, num_items_in_batch=None):
    """Class weights as transformers' documentation has them: a sum, over the labels of the whole step."""
    logits = outputs["logits"]
    return cross_entropy(logits, labels, WEIGHTS.to(logits.dtype), reduction="sum") / num_items_in_batch


def focal(kind, scaled=None):
    """A subclass whose compute_loss makes its own forward pass, and takes the mean of each micro-batch."""

    class Focal(kind):
        loss_is_scaled_for_ga = scaled

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            labels = inputs.pop("labels")
            outputs = model(**inputs)
            each = cross_entropy(outputs.logits, labels, reduction="none")
            loss = ((1 - (-each).exp()) ** 2 * each).mean()
            return (loss, outputs) if return_outputs else loss

    return Focal


class Hinge(BertForSequenceClassification):
    """A classifier of the user's, with a loss of its own."""

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None):
        logits = super().forward(input_ids, attention_mask, token_type_ids).logits
        loss = None if labels is None else (1 - (2 * labels - 1) * (logits[:, 1] - logits[:, 0])).clamp(min=0).mean()
        return SequenceClassifierOutput(loss=loss, logits=logits)


def focal_of_this_trainer(run):
    run.compute_loss = MethodType(focal(Trainer).compute_loss, run)


def focal_in_place_of_transformers(run):
    """As who patches a function has it; a function without self, too."""
    run.compute_loss = partial(focal(Trainer).compute_loss, run)


def hinge_of_this_classifier(run):
    model = classifier_of(run)
    own = type(model).forward

    def forward(self, input_ids=None, attention_mask=None, token_type_ids=None, labels=None):
        logits = own(self, input_ids, attention_mask, token_type_ids).logits
        loss = None if labels is None else (1 - (2 * labels - 1) * (logits[:, 1] - logits[:, 0])).clamp(min=0).mean()
        return SequenceClassifierOutput(loss=loss, logits=logits)

    model.forward = MethodType(forward, model)
    run.model_accepts_loss_kwargs = False


def hinge_of_a_hook(run):
    """As who wants another loss without a class of their own has it."""

    def hook(module, args, kwargs, output):
        labels = kwargs.get("labels")
        if labels is not None:
            output["loss"] = (1 - (2 * labels - 1) * (output.logits[:, 1] - output.logits[:, 0])).clamp(min=0).mean()
        return output

    model = classifier_of(run)
    model.register_forward_hook(hook, with_kwargs=True)


class Smoother(LabelSmoother):
    """A label smoother of the user's."""

    def __call__(self, model_output, labels, shift_labels=False, num_items_in_batch=None):
        return model_output["logits"].square().sum() / num_items_in_batch


CASES = {
    "compute_loss_func": {"given": {"compute_loss_func": weighted}},
    "label_smoothing_factor": {"label_smoothing_factor": 0.2},
    "a label smoother": {"label_smoothing_factor": 0.2, "smoother": Smoother(0.2)},
    "compute_loss": {"kind": focal},
    "compute_loss, scaled": {"kind": lambda kind: focal(kind, scaled=True)},
    "compute_loss, not scaled": {"kind": lambda kind: focal(kind, scaled=False)},
    "the classifier's": {"classifier": Hinge},
    "compute_loss of one trainer": {"change": focal_of_this_trainer},
    "compute_loss, a function": {"change": focal_in_place_of_transformers},
    "the classifier's, of one classifier": {"change": hinge_of_this_classifier},
    "the classifier's, by a hook": {"change": hinge_of_a_hook},
}


def build(trainer, kind, case, **options):
    """A trainer of the kind with the loss of the case; a stock Trainer reads in the order of ours."""
    case = {"kind": lambda kind: kind, "given": {}, **CASES[case]}
    make, given = case.pop("kind"), dict(case.pop("given"))
    smoother, own = case.pop("smoother", None), case.pop("classifier", None)
    change = case.pop("change", lambda run: None)
    run = trainer(kind=make(StockOrder if kind is Trainer else kind), given=given, **case, **options)
    if smoother is not None:
        run.label_smoother = smoother
    if own is not None:
        (run.model if kind is Trainer else run.model.classifier).__class__ = own
        run.model_accepts_loss_kwargs &= kind is not Trainer  # as it would have found of such a model
    change(run)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("accumulation", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_fine_tuning_minimises_what_a_stock_trainer_does(trainer, case, accumulation):
    options = {"max_steps": 4, "gradient_accumulation_steps": accumulation, "per_device_train_batch_size": 8}
    if case.startswith("the classifier's") and accumulation > 1:
        pytest.skip("a stock Trainer adds up the means of micro-batches where ours takes their mean")
    ours = build(trainer, MaskTuningTrainer, case, method=FineTuning(), folder="ours", **options)
    stock = build(trainer, Trainer, case, folder="stock", **options)
    for run in (ours, stock):
        run.train()
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)
    torch.testing.assert_close(classifier_weights(ours), classifier_weights(stock), rtol=1e-3, atol=1e-4)
    for run in (ours, stock):
        run.model.eval()
    assert ours.evaluate()["eval_loss"] == pytest.approx(stock.evaluate()["eval_loss"], rel=1e-4)
    plain = trainer(method=FineTuning(), folder="plain", **options)
    plain.train()
    assert losses(ours) != pytest.approx(losses(plain), rel=1e-2)


@pytest.mark.slow
def test_examples_labelled_as_none_are_left_out_as_a_stock_trainer_leaves_them(trainer, data, checkpoints):
    """transformers takes a label of -100 for an example without one; a stock Trainer draws dropout for it too."""
    rows = [{**row, "labels": -100 if number % 3 == 0 else row["labels"]} for number, row in enumerate(data["bert"])]

    def options():
        torch.manual_seed(0)
        model = BertForSequenceClassification.from_pretrained(
            checkpoints["bert"], hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
        )
        given = {"train_dataset": rows, "model": model}
        return {"max_steps": 4, "optim": "sgd", "learning_rate": 0.1, "given": given}

    ours = trainer(method=FineTuning(), folder="ours", **options())

    stock = trainer(kind=StockOrder, folder="stock", **options())
    for run in (ours, stock):
        run.train()
    assert losses(ours) == pytest.approx(losses(stock), rel=1e-5)
    torch.testing.assert_close(classifier_weights(ours), classifier_weights(stock), rtol=1e-3, atol=1e-4)


WITH_WEIGHTS = {
    "r_drop": {},
    "reweighting": {},
    "masker": {"keyword_weight": 1.0, "entropy_weight": 1.0},
    "confidence_regularisation": {},
    "mlm_augmentation": {"copies": 1},
    "mask_tuning+product_of_experts": {},
    "mask_tuning": {"classify": "both", "mask_rate": 0.3},
}


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("name", WITH_WEIGHTS)
def test_an_example_without_a_label_has_no_part_in_any_term(trainer, data, name, smoothing):
    """The step is that of the labelled rows alone, whatever a method does with labels, weights and divisors."""
    method = methods.build(name, **WITH_WEIGHTS[name])
    if smoothing and type(method.classification.criterion) is not CrossEntropy:
        pytest.skip("a loss of its own")
    prepared = {
        "bias": [[0.3, 0.7]] * 60, "teacher": [[0.6, 0.4]] * 60, "copy_0": data["bert"]["input_ids"],
        "keywords": [[token % 3 == 0 for token in tokens] for tokens in data["bert"]["input_ids"]],
    }  # fmt: skip
    rows = data["bert"]
    for column in method.needs:
        rows = rows.add_column(PREFIX + column, prepared[column])
    run = trainer(method=method, given={"train_dataset": rows}, label_smoothing_factor=smoothing)
    run.model.train()
    batch = run.data_collator([run.train_dataset[row] for row in range(8)])
    kept = torch.arange(8) % 3 != 1
    gradients = []
    for inputs in (
        {**batch, "labels": batch["labels"].where(kept, -100)},
        {column: values[kept] for column, values in batch.items()},
    ):
        run.model.zero_grad()
        torch.manual_seed(0)
        run.current_gradient_accumulation_steps = 1
        run._micro_batches = (-1, 0)
        loss = run.training_step(run.model, inputs, inputs["labels"].ne(-100).sum())
        gradients.append([loss, *(each.grad for each in run.model.parameters() if each.grad is not None)])
    assert len(gradients[0]) > 10 and gradients[0][0] > 0
    assert all(torch.equal(one, other) for one, other in zip(*gradients, strict=True))


def test_a_batch_without_any_label_changes_nothing(trainer, data):
    rows = [{**row, "labels": -100} for row in data["bert"]]
    run = trainer(method=METHOD, given={"train_dataset": rows}, max_steps=2)
    before = classifier_weights(run)
    run.train()
    assert losses(run) == [0, 0] and torch.equal(classifier_weights(run), before)


def test_a_table_may_have_examples_without_a_label_unless_each_is_to_be_judged(trainer, data, make_builder):
    labels = [-100 if number % 3 == 0 else label for number, label in enumerate(data["bert"]["labels"])]
    rows = data["bert"].remove_columns("labels").add_column("labels", labels)
    run = trainer(method=METHOD, given={"train_dataset": rows}, max_steps=2)
    run.train()
    assert all(loss > 0 for loss in losses(run))
    builder = make_builder(labels=labels[:40])
    with pytest.raises(MaskTuneError, match="row 0 of the train set has the label -100.*dataset.filter"):
        builder.prepare(methods.build("reweighting", bias_model="bag_of_words"))


def test_what_several_processes_cannot_know_of_a_loss_of_the_classifiers_is_refused(trainer, data, monkeypatch):
    run = build(trainer, MaskTuningTrainer, "the classifier's", method=FineTuning())
    batch = {**run.data_collator([data["bert"][row] for row in range(4)]), "labels": torch.tensor([0, -100, 1, 1])}
    assert run._with_class(batch) is None  # it may read -100 as it likes
    monkeypatch.setattr(TrainingArguments, "world_size", 2)
    with pytest.raises(MaskTuneError, match="the label -100: over how many examples the loss of Hinge is a mean"):
        run._with_class(batch)


def expected_loss(case, run, inputs, labels):
    """The loss of one micro-batch, the only one of its step, written down once more."""
    logits = run.model.classifier(**inputs).logits
    if case == "compute_loss_func":
        return cross_entropy(logits, labels, WEIGHTS.to(logits.dtype), reduction="sum") / len(labels)
    if case == "label_smoothing_factor":
        return cross_entropy(logits, labels, label_smoothing=0.2)
    if case == "a label smoother":
        return logits.square().sum() / len(labels)
    if case.startswith("the classifier's"):
        return (1 - (2 * labels - 1) * (logits[:, 1] - logits[:, 0])).clamp(min=0).mean()
    each = cross_entropy(logits, labels, reduction="none")
    return ((1 - (-each).exp()) ** 2 * each).mean()


@pytest.mark.parametrize("case", CASES)
def test_in_mask_tuning_it_is_the_classification_term(trainer, case):
    """The masked-LM term is what it was, and the classifier's is the user's loss of the perturbed texts."""
    method = MaskTuning(mask_rate=0.3, alpha=0.6)
    run = build(trainer, MaskTuningTrainer, case, method=method)
    run.current_gradient_accumulation_steps = 1
    run.model.double().train()
    batch = run.data_collator([run.train_dataset[row] for row in range(8)])
    run.training_step(run.model, dict(batch), torch.tensor(8))
    trained = [None if each.grad is None else each.grad.clone() for each in run.model.parameters()]
    run.model.zero_grad()
    terms = method.terms(run.model, batch, run.streams.at(0))
    mlm = next(terms)
    filled = method.perturb_batch(run.model, {k: v for k, v in batch.items() if k != "labels"}, run.streams.at(0))
    inputs = {**batch, "input_ids": filled.filled_ids}
    labels = inputs.pop("labels")
    (0.6 * mlm.loss + 0.4 * expected_loss(case, run, inputs, labels)).backward()
    for gradient, each in zip(trained, run.model.parameters(), strict=True):
        if each.grad is None:
            assert gradient is None
        else:
            torch.testing.assert_close(gradient, each.grad, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("name", ["r_drop", "free_lb", "span_cutoff", "hidden_cut"])
@pytest.mark.parametrize("case", ["compute_loss_func", "label_smoothing_factor"])
def test_a_loss_of_logits_goes_with_every_forward_pass(trainer, name, case):
    """With a loss that is cross-entropy the methods are what they are without one."""
    plain = trainer(method=methods.build(name), folder="plain", max_steps=2)
    same = {
        "compute_loss_func": {
            "given": {"compute_loss_func": lambda out, y, num_items_in_batch: cross_entropy(out["logits"], y)}
        },
        "label_smoothing_factor": {"label_smoothing_factor": 1e-9},
    }[case]
    ours = trainer(method=methods.build(name), folder="ours", max_steps=2, **same)
    plain.train(), ours.train()
    assert losses(ours) == pytest.approx(losses(plain), rel=1e-5)


def test_copies_of_examples_are_counted_in_a_loss_that_divides_by_the_labels_of_a_step(trainer, data):
    """A method that reads twice as many examples as the batch has divides by twice as many labels."""
    method = methods.build("mlm_augmentation", copies=1)
    rows = data["bert"].add_column(PREFIX + "copy_0", data["bert"]["input_ids"])

    def summed(outputs, labels, num_items_in_batch=None):
        return cross_entropy(outputs["logits"], labels, reduction="sum") / num_items_in_batch

    func = {"compute_loss_func": summed}
    runs = [
        trainer(method=method, folder=str(number), max_steps=2, given={"train_dataset": rows, **given})
        for number, given in enumerate(({}, func))
    ]
    for run in runs:
        run.train()
    assert losses(runs[1]) == pytest.approx(losses(runs[0]), rel=1e-5)


@pytest.mark.parametrize(
    ("case", "method", "words"),
    [
        (case, "mask_tuning+reweighting", "'reweighting' are both the loss of the classifier")
        for case in ("compute_loss_func", "label_smoothing_factor", "compute_loss", "the classifier's")
    ]
    + [
        ("compute_loss", "r_drop", "'r_drop' is another way to make it"),
        ("the classifier's", "mask_tuning+free_lb", "'free_lb' is another way to make it"),
        ("compute_loss_func", MaskTuning(keep="correct"), "count more than others"),
        ("compute_loss", MaskTuning(classify="both"), "count more than others"),
    ],
)
def test_a_loss_that_does_not_go_with_the_method_is_refused_by_name(trainer, case, method, words, checkpoints, data):
    rows = data["bert"].add_column(PREFIX + "bias", [[0.5, 0.5]] * len(data["bert"]))
    given = {"train_dataset": rows}
    if case == "the classifier's":
        model = classifier(checkpoints["bert"])
        model.__class__ = Hinge
        given["model"] = model
    settings = {key: value for key, value in CASES[case].items() if key != "classifier"}
    given |= settings.pop("given", {})
    kind = settings.pop("kind", lambda kind: kind)(MaskTuningTrainer)
    with pytest.raises(MaskTuneError) as error:
        trainer(kind=kind, method=method, given=given, **settings)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert {"the classifier's": "the loss of Hinge"}.get(case, case) in str(error.value)


def test_smoothing_goes_with_examples_that_count_differently(trainer):
    """It is known example by example."""
    run = trainer(method=MaskTuning(mask_rate=0.3, classify="both"), label_smoothing_factor=0.1, max_steps=2)
    run.train()
    assert len(losses(run)) == 2


def test_a_column_that_only_compute_loss_reads_reaches_it(trainer, data):
    """An example's own weight, as scripts have it with remove_unused_columns=False."""
    seen = []

    class Weighted(MaskTuningTrainer):
        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            weights, labels = inputs.pop("weight"), inputs.pop("labels")
            seen.append(weights)
            outputs = model(**inputs)
            loss = (weights * cross_entropy(outputs.logits, labels, reduction="none")).sum() / weights.sum()
            return (loss, outputs) if return_outputs else loss

    rows = data["bert"].add_column("weight", [float(number % 3) for number in range(60)])
    run = trainer(kind=Weighted, method=METHOD, max_steps=2, remove_unused_columns=False, given={"train_dataset": rows})
    run.train()
    assert [len(weights) for weights in seen] == [8, 8]


def test_which_classifiers_have_the_cross_entropy_of_transformers(checkpoints, family):
    model = classifier(checkpoints[family])
    assert is_cross_entropy(model)
    model.config.problem_type = "multi_label_classification"
    assert not is_cross_entropy(model)
    model.config.problem_type = None
    model.loss_function = weighted
    assert not is_cross_entropy(model)
    other = classifier(checkpoints["bert"])
    other.__class__ = Hinge
    assert not is_cross_entropy(other)


@pytest.mark.slow
def test_labels_that_are_no_classes_are_learnt_by_the_classifiers_own_loss(trainer, data, checkpoints):
    """Several labels an example, in a data set of the user's: BCE, as a stock Trainer takes it from the model."""
    rows = [{**row, "labels": [float(row["labels"]), 1.0]} for row in data["bert"]]
    runs = []

    for kind in (MaskTuningTrainer, StockOrder):
        run = trainer(
            kind=kind, method=FineTuning(), folder=kind.__name__, max_steps=3,
            given={"train_dataset": rows, "eval_dataset": rows},
        )  # fmt: skip
        run.train()
        runs.append(run)
    assert losses(runs[0]) == pytest.approx(losses(runs[1]), rel=1e-5)
    torch.testing.assert_close(classifier_weights(runs[0]), classifier_weights(runs[1]), rtol=1e-3, atol=1e-4)
