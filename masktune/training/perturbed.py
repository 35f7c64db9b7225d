"""What a method makes of texts in training: the perturbations themselves, to look at and to count."""

import torch

from masktune.methods.base import Batch
from masktune.methods.mask_tuning import MaskTuning
from masktune.models.joint import MaskTuningModel
from masktune.streams import Streams, derive


def perturb(
    model: MaskTuningModel, method: MaskTuning, batch: Batch, streams: Streams, draws: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """`draws` perturbations of each text of a batch [n, L], as in training: (positions, texts), each [D, n, L].

    Leaves the model and torch's own random numbers as they were: training goes on as if nobody had looked.
    """
    repeated = {name: values.repeat(draws, 1).to(model.device) for name, values in batch.items()}
    was_training = model.training
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(derive(streams.seed, "dropout", streams.step))
        perturbed = method.perturb_batch(model.train(), repeated, streams)
    model.train(was_training)
    positions, texts = (each.cpu().unflatten(0, (draws, -1)) for each in (perturbed.positions, perturbed.filled_ids))
    return positions, texts
