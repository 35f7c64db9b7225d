"""What Mask-tuning does to some examples of a cell: the original, the masked and the filled text."""

from typing import TYPE_CHECKING, Any

from masktune.study.spec.cells import Cell, build_method

if TYPE_CHECKING:
    import pandas
    from torch import Tensor

    from masktune.methods import MaskTuning
    from masktune.methods.base import Batch
    from masktune.models.joint import MaskTuningModel
    from masktune.streams import Streams

SEED = 0
COLUMNS = ("original", "masked", "filled", "label")


def perturb(cell: Cell, count: int = 5) -> "pandas.DataFrame":
    """The first `count` in-distribution examples in which something is masked: original, masked, filled, label.

    Masked and filled by the cell's own method, with its model as it is before fine-tuning. A cell of a method that
    masks nothing shows what Mask-tuning would do there.
    """
    import pandas
    from transformers import AutoTokenizer

    from masktune import data, methods, perturb
    from masktune.models.joint import MaskTuningModel
    from masktune.pretraining import checkpoints
    from masktune.streams import Streams
    from masktune.study.run.training import quiet

    quiet()
    own = build_method(cell.method, cell.options)
    text = own.method if isinstance(own, methods.Combined) else own
    method = text if isinstance(text, methods.MaskTuning) else methods.MaskTuning()
    task = data.load(cell.data, cell.task, train_examples=cell.training.train_examples)
    own_set = next(each for each in task.evaluation if each.kind == "in_distribution")
    checkpoint = checkpoints.prepare(cell.model, cell.task)
    tokenizer = AutoTokenizer.from_pretrained(checkpoint, revision=cell.model.revision or "main")
    model = MaskTuningModel.from_pretrained(checkpoint, task.label_names, SEED, revision=cell.model.revision).eval()
    model.vocabulary = perturb.Vocabulary.of(tokenizer)
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
    pair = [example[name] for name in ("text", "text_pair") if example.get(name) is not None]
    batch = dict(tokenizer(*pair, truncation=True, max_length=max_length, return_tensors="pt"))
    ids = batch["input_ids"]
    positions, masked, filled = masked_and_filled(model, method, batch, streams)
    if not positions.any():
        return None
    return _decoded(ids, tokenizer), _decoded(masked, tokenizer), _decoded(filled, tokenizer)


def masked_and_filled(
    model: "MaskTuningModel", method: "MaskTuning", batch: "Batch", streams: "Streams"
) -> tuple["Tensor", "Tensor", "Tensor"]:
    """What the method makes of a batch of texts [B, L]: (positions, masked, filled), each [B, L]."""
    import torch

    from masktune import perturb

    batch = dict(batch)
    ids = batch.pop("input_ids")
    candidates = perturb.maskable(ids, batch["attention_mask"], model.vocabulary)
    positions = perturb.choose_positions(candidates, method.mask_rate, streams["positions"], method.positions)
    if not positions.any():
        return positions, ids, ids
    masked = perturb.mask(ids, positions, model.vocabulary, streams["symbols"], method.symbol)
    with torch.no_grad():
        logits = model.mlm_logits(masked, ids, positions, **batch)
    return positions, masked, perturb.fill(ids, positions, logits, model.vocabulary, streams["fill"], method.fill)


def _decoded(ids: "Tensor", tokenizer: Any) -> str:
    """Text without the special tokens at the edges; the mask token and what stands between two texts stay."""
    tokens = ids[0].tolist()
    edges = {tokenizer.cls_token_id, tokenizer.sep_token_id, tokenizer.bos_token_id, tokenizer.eos_token_id}
    start = next(place for place, token in enumerate(tokens) if token not in edges)
    stop = next(place for place in range(len(tokens), 0, -1) if tokens[place - 1] not in edges)
    return tokenizer.decode(tokens[start:stop]).strip()
