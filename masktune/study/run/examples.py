"""What Mask-tuning does to some examples of a cell: the original, the masked and the filled text."""

from typing import TYPE_CHECKING, Any

from masktune.study.design.cells import Cell, build_method

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from masktune.methods import MaskTuning
    from masktune.models.joint import MaskTuningModel
    from masktune.streams import Streams

SEED = 0
COLUMNS = ("original", "masked", "filled", "label")


def perturb(cell: Cell, count: int = 5) -> "pandas.DataFrame":
    """The first `count` in-distribution examples in which something is masked: original, masked, filled, label.

    Masked and filled by the cell's own method, with its model as it is before fine-tuning. A cell of a method that
    masks nothing shows what Mask-tuning would do there. A soft fill is shown by its most probable tokens.
    """
    import pandas
    from transformers import AutoTokenizer

    from masktune import data, methods
    from masktune.models.joint import MaskTuningModel
    from masktune.perturb import Vocabulary
    from masktune.pretraining import checkpoints
    from masktune.streams import Streams
    from masktune.study.run.training import quiet

    quiet()
    own = build_method(cell.method, cell.options)
    text = own.method if isinstance(own, methods.Combined) else own
    method = text if isinstance(text, methods.MaskTuning) else methods.MaskTuning()
    task = data.load(cell.data, cell.task, train_examples=cell.training.train_examples, **cell.data_options)
    own_set = next(each for each in task.evaluation if each.kind == "in_distribution")
    checkpoint = checkpoints.prepare(cell.model, cell.task)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    model = MaskTuningModel.from_pretrained(checkpoint, task.label_names, SEED, revision=cell.model.revision).eval()
    model.vocabulary = Vocabulary.of(tokenizer)
    rows: list[tuple[str, ...]] = []
    for number in range(len(own_set.examples)):
        if len(rows) == count:
            break
        example = own_set.examples[number]
        texts = _texts(example, tokenizer, own_set.max_length, model, method, Streams(SEED).at(number))
        if texts is not None:
            rows.append((*texts, own_set.label_names[example["label"]]))
    return pandas.DataFrame(rows, columns=COLUMNS)


def _texts(
    example: dict[str, Any],
    tokenizer: Any,
    max_length: int,
    model: "MaskTuningModel",
    method: "MaskTuning",
    streams: "Streams",
) -> tuple[str, str, str] | None:
    """The example as it is, masked, and filled; None if nothing of it is masked."""
    import torch

    pair = [example[name] for name in ("text", "text_pair") if example.get(name) is not None]
    inputs = dict(tokenizer(*pair, truncation=True, max_length=max_length, return_tensors="pt"))
    with torch.no_grad():
        perturbed = method.perturb_batch(model, inputs, streams)
    if not perturbed.positions.any():
        return None
    original, masked, filled = inputs["input_ids"], perturbed.masked_ids, perturbed.filled_ids
    return _decode(original, tokenizer), _decode(masked, tokenizer), _decode(filled, tokenizer)


def _decode(ids: "Tensor", tokenizer: Any) -> str:
    """Text without the special tokens at the edges; the mask token and what separates two texts stay."""
    tokens = ids[0].tolist()
    edges = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}
    start = next(place for place, token in enumerate(tokens) if token not in edges)
    stop = next(place for place in range(len(tokens), 0, -1) if tokens[place - 1] not in edges)
    return tokenizer.decode(tokens[start:stop]).strip()
