"""One encoder, two heads: a transformers classifier and the masked-LM head of the same checkpoint.

B is the batch size, L the padded length, H the hidden size, N the number of masked tokens, V the vocabulary,
C the number of classes.

The paper does not say whether the masked language model and the classifier share an encoder; "updates everything" and
one joint loss read as one encoder (our primary choice). `encoder="separate"` gives the language model a network of its
own, `encoder="frozen"` one that is never trained.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from masktune.errors import MaskTuneError, one_of
from masktune.losses import ENCODERS
from masktune.models.families import FAMILIES, Family, Stack, base_of, shift_right
from masktune.models.masked_lm import HEAD_FILE, MaskedLM, has_saved_head, load_masked_lm, masked_logits, tie
from masktune.models.weights import check_loaded, copy_weights, loading, read_weights
from masktune.perturb import Vocabulary
from masktune.streams import derive


class MaskTuningModel(nn.Module):
    """A classifier and the masked-LM head of its checkpoint on one encoder.

    As an `nn.Module` it is the classifier: `forward(**batch)` returns transformers' output with loss and logits [B, C],
    so that `transformers.Trainer` evaluates it. `mlm_logits` is the language model's side; `encoder=None` leaves it
    out, for methods that need none. `vocabulary` (from the tokenizer) is set by the trainer, because perturbing needs
    to know the mask token.
    """

    def __init__(self, classifier: PreTrainedModel, masked_lm: MaskedLM | None = None, encoder: str = "shared"):
        super().__init__()
        self.classifier = classifier
        self.encoder = one_of(encoder, ENCODERS, "encoder") if masked_lm is not None else None
        self._vocabulary: Vocabulary | None = None
        self.mlm_head: nn.Module | None = None
        self.mlm_encoder: PreTrainedModel | None = None
        if masked_lm is not None:
            self._attach(masked_lm)

    def _attach(self, masked_lm: MaskedLM) -> None:
        self.mlm_head = head = masked_lm.head
        if self.encoder == "shared":
            tie(masked_lm, self.classifier.get_input_embeddings().get_parameter("weight"))
            return
        self.mlm_encoder = encoder = base_of(masked_lm.model)
        if self.encoder == "frozen":
            encoder.requires_grad_(False)
            head.requires_grad_(False)

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: str | Path,
        label_names: Sequence[str],
        seed: int,
        revision: str | None = None,
        encoder: str | None = "shared",
    ) -> "MaskTuningModel":
        """Load both heads of a checkpoint; the new classification head is initialised from (seed, "head").

        The classification head is drawn as transformers draws it. Raises MaskTuneError for a checkpoint that cannot be
        read or lacks a tensor, a model type that is not in FAMILIES, or one whose masked-LM head was never trained.
        """
        names = dict(enumerate(label_names))
        with loading(checkpoint, revision), torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "head"))
            classifier, info = AutoModelForSequenceClassification.from_pretrained(
                checkpoint,
                revision=revision or "main",
                num_labels=len(names),
                id2label=names,
                label2id={name: index for index, name in names.items()},
                ignore_mismatched_sizes=True,  # refused here, by name
                output_loading_info=True,
            )
        whole = type(classifier).__name__ in (classifier.config.architectures or ())
        check_loaded(classifier, info, checkpoint, whole)
        return cls._with_language_model(classifier, checkpoint, revision, encoder)

    @classmethod
    def from_classifier(cls, classifier: PreTrainedModel, encoder: str | None = "shared") -> "MaskTuningModel":
        """Attach to a loaded `AutoModelForSequenceClassification` the masked-LM head of the checkpoint it came from."""
        if encoder is None:
            return cls(classifier)
        checkpoint = classifier.config.name_or_path
        if not checkpoint:
            raise MaskTuneError(
                f"this {type(classifier).__name__} was not loaded from a checkpoint, so its masked-LM head cannot be "
                "found; load it with from_pretrained, or build a MaskTuningModel yourself"
            )
        revision = getattr(classifier.config, "_commit_hash", None)
        return cls._with_language_model(classifier, checkpoint, revision, encoder)

    @classmethod
    def _with_language_model(
        cls, classifier: PreTrainedModel, checkpoint: str | Path, revision: str | None, encoder: str | None
    ) -> "MaskTuningModel":
        if encoder is None:
            return cls(classifier)
        model = cls(classifier, load_masked_lm(checkpoint, revision), encoder)
        if has_saved_head(checkpoint):
            # Of a model that was saved with a shared encoder, both networks begin with it.
            model._load_language_model(checkpoint, or_else=model.mlm_encoder)
        return model

    @property
    def vocabulary(self) -> Vocabulary:
        """What perturbing needs to know of the tokenizer. Raises MaskTuneError before it is set."""
        if self._vocabulary is None:
            raise MaskTuneError("the model has no vocabulary yet; set model.vocabulary = Vocabulary.of(tokenizer)")
        return self._vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    @property
    def config(self) -> PreTrainedConfig:
        """The classifier's transformers configuration."""
        return self.classifier.config

    @property
    def device(self) -> torch.device:
        """The device that the classifier is on."""
        return self.classifier.device

    @property
    def family(self) -> Family:
        """How this type of model reads text. Raises MaskTuneError for a model type that is not in FAMILIES."""
        return FAMILIES[one_of(self.config.model_type, FAMILIES, "model type")]

    def forward(
        self,
        labels: Tensor | None = None,
        soft_words: Tensor | None = None,
        soft_positions: Tensor | None = None,
        **inputs: Tensor,
    ) -> SequenceClassifierOutput:
        """The classifier's loss (mean cross-entropy, with labels [B]) and logits [B, C].

        `soft_words` [B, L, H] are read in the place of the looked-up word embeddings at `soft_positions`, bool [B, L].
        """
        with contextlib.ExitStack() as reading:
            if soft_words is not None and soft_positions is not None:
                reading.enter_context(self._read_softly(soft_words, soft_positions))
            output = self.classifier(labels=labels, **inputs)
        return SequenceClassifierOutput(loss=output.loss, logits=output.logits)

    def expected_words(self, probabilities: Tensor) -> Tensor:
        """The mean of the classifier's word embeddings, weighted by probabilities [N, V]. -> [N, H].

        In the precision of the embeddings, under autocast too: of a certain prediction it is the embedding itself.
        """
        words = self.classifier.get_input_embeddings().get_parameter("weight")
        with torch.autocast(words.device.type, enabled=False):
            return probabilities.to(words.dtype) @ words

    @contextlib.contextmanager
    def _read_softly(self, words: Tensor, where: Tensor) -> Iterator[None]:
        """Within the block the classifier reads `words` [B, L, H] at bool [B, L], before any `edit` of the words.

        BART multiplies the embeddings that it looks up by a factor of the stack that reads them; these alike.
        """
        with contextlib.ExitStack() as hooks:
            for stack in self._stacks:
                own, there = (shift_right(words), shift_right(where)) if stack.shifted else (words, where)
                for module in stack.words:
                    scaled = getattr(module, "embed_scale", 1.0) * own
                    hook = module.register_forward_hook(_replacing(scaled, there), prepend=True)
                    hooks.callback(hook.remove)
            yield

    @contextlib.contextmanager
    def without_dropout(self) -> Iterator[None]:
        """Within the block the model computes in evaluation mode; after it every module is as it was."""
        training = [module for module in self.modules() if module.training]
        self.eval()
        try:
            yield
        finally:
            for module in training:
                module.training = True

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the masked tokens, see `masked_logits`. -> [N, V].

        Raises MaskTuneError for a model without language model (encoder=None).
        """
        if self.mlm_head is None:
            raise MaskTuneError("the model has no language model; load it with encoder='shared'")
        base = base_of(self.classifier) if self.mlm_encoder is None else self.mlm_encoder
        with torch.no_grad() if self.encoder == "frozen" else contextlib.nullcontext():
            return masked_logits(self.family, base, self.mlm_head, masked_ids, input_ids, positions, **inputs)

    @contextlib.contextmanager
    def edit(
        self, where: str, values: Callable[[int], Tensor], edit: Callable[[Tensor, Tensor], Tensor]
    ) -> Iterator[None]:
        """Within the block the classifier reads text with edited outputs of some of its modules.

        The output [B, L, H] of each module `where` (a field of `Stack`), numbered from the first layer to the last, is
        replaced by `edit(output, values(number))`. `values` are [B, L, ...], a row for each token; they reach a stack
        that reads the text shifted as it reads it. Raises MaskTuneError for a model type that is not in FAMILIES.
        """
        places = [(module, stack.shifted) for stack in self._stacks for module in getattr(stack, where)]
        with contextlib.ExitStack() as hooks:
            for number, (module, shifted) in enumerate(places):
                own = shift_right(values(number)) if shifted else values(number)
                hook = module.register_forward_hook(lambda module, inputs, output, own=own: edit(output, own))
                hooks.callback(hook.remove)
            yield

    def hide_from_attention(self, inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
        """The inputs of the classifier with an attention that leaves out some `tokens`, bool [B, L]."""
        inputs = {**inputs, "attention_mask": inputs["attention_mask"].masked_fill(tokens, 0)}
        if any(stack.shifted for stack in self._stacks):
            inputs["decoder_attention_mask"] = (~shift_right(tokens)).long()
        return inputs

    @torch.no_grad()
    def attention(self, inputs: dict[str, Tensor]) -> Tensor:
        """How much the classification attends to each token in the last layer, mean over the heads. -> [B, L]."""
        self.classifier.set_attn_implementation("eager")  # the others do not tell
        output = self.classifier(**inputs, output_attentions=True)
        return self.family.attention(output, inputs["attention_mask"]).mean(1)

    @property
    def _stacks(self) -> list[Stack]:
        return self.family.stacks(base_of(self.classifier))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a plain transformers classification checkpoint, and next to it the language model's own weights.

        `AutoModelForSequenceClassification` and `pipeline("text-classification")` load the folder and see nothing of
        the language model; `MaskTuningModel.from_pretrained` finds both.
        """
        self.classifier.save_pretrained(folder)
        head = Path(folder) / HEAD_FILE
        if self.encoder is None:
            head.unlink(missing_ok=True)  # of a model that was saved here before
            return
        weights: dict[int, tuple[str, Tensor]] = {}
        for name, value in self._language_model_tensors().items():
            weights.setdefault(value.data_ptr(), (name, value.contiguous()))  # safetensors stores no tensor twice
        safetensors.torch.save_file(dict(weights.values()), head)

    def _language_model_tensors(self) -> dict[str, Tensor]:
        """The tensors that the classifier does not hold already; those that are tied, by each of their names."""
        held = {value.data_ptr() for value in self.classifier.state_dict().values()}
        own = {name: value for name, value in self.state_dict().items() if name.startswith("mlm_")}
        return {name: value for name, value in own.items() if value.data_ptr() not in held}

    def load_weights(self, folder: str | Path) -> None:
        """Load in place what `save_pretrained` wrote (resuming a run, going back to its best checkpoint).

        Raises MaskTuneError that names the first tensor of the classifier or its language model that the folder lacks,
        has too many, or has in another shape.
        """
        file = Path(folder) / "model.safetensors"
        copy_weights(self.classifier.state_dict(), read_weights(file), file)
        if self.encoder is not None:
            self._load_language_model(folder)

    def _load_language_model(self, folder: str | Path, or_else: nn.Module | None = None) -> None:
        """Load the language model from the folder; `or_else` is its encoder where the folder holds none."""
        file = Path(folder) / HEAD_FILE
        weights = read_weights(file)
        if or_else is not None and not any(name.startswith("mlm_encoder.") for name in weights):
            weights |= or_else.state_dict(prefix="mlm_encoder.")
        copy_weights(self._language_model_tensors(), weights, file)


def _replacing(words: Tensor, where: Tensor) -> Callable[[nn.Module, Any, Tensor], Tensor]:
    """A forward hook that puts `words` [B, L, H] into the output of its module at bool [B, L]."""

    def hook(module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        return torch.where(where[..., None], words.to(output.dtype), output)

    return hook
