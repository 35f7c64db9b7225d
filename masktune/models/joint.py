"""One encoder, two heads: a transformers classifier and the masked-LM head of the same checkpoint.

B is the batch size, L the padded length, H the hidden size, N the number of masked tokens, V the vocabulary,
C the number of classes.

The paper does not say whether the masked language model and the classifier share an encoder; "updates everything" and
one joint loss read as one encoder (our primary choice). `encoder="separate"` gives the language model a network of its
own, `encoder="frozen"` one that is never trained.

How a family reads the masked text is one entry of `FAMILIES`. BART has no masked-LM head of the BERT kind: it was
pre-trained to write the original text from a corrupted one (Lewis et al. 2020). Its masked-language-model reading is
therefore that denoising loss restricted to single-token masks: the encoder reads the masked text, the decoder is
teacher-forced with the original text shifted right, and of its outputs only those at the masked positions are asked
for. The decoder is causal, so the token to be predicted is never among what it sees.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForMaskedLM, AutoModelForSequenceClassification, PreTrainedModel
from transformers.modeling_outputs import ModelOutput, SequenceClassifierOutput
from transformers.models.bart.modeling_bart import shift_tokens_right

from masktune.errors import MaskTuneError, one_of
from masktune.losses import ENCODERS
from masktune.models.weights import check_loaded, fill, loading, stored
from masktune.perturb import Vocabulary
from masktune.streams import derive

HEAD_FILE = "mlm_head.safetensors"


def _encoder_hidden(base: PreTrainedModel, masked_ids: Tensor, input_ids: Tensor, **inputs: Tensor) -> Tensor:
    """BERT and RoBERTa: the encoder reads the masked text. -> [B, L, H]."""
    return base(input_ids=masked_ids, **inputs).last_hidden_state


def _decoder_hidden(base: PreTrainedModel, masked_ids: Tensor, input_ids: Tensor, **inputs: Tensor) -> Tensor:
    """BART: the decoder, teacher-forced with the original text, reads the encoder's view of the masked text."""
    shifted = shift_tokens_right(input_ids, base.config.pad_token_id, base.config.decoder_start_token_id)
    return base(input_ids=masked_ids, decoder_input_ids=shifted, use_cache=False, **inputs).last_hidden_state


@dataclass(frozen=True)
class Stack:
    """A stack of layers that reads the text of a classifier, its modules by what they do and not by their names.

    words         look up the word embeddings, [B, L] -> [B, L, H]
    embeddings    give what the first layer reads: with positions, normalised
    feed_forward  give the output of the feed-forward block of each layer, before what entered the block is added
    shifted       whether place i + 1 reads token i, as BART's decoder does
    """

    words: Sequence[nn.Module]
    embeddings: Sequence[nn.Module]
    feed_forward: Sequence[nn.Module]
    shifted: bool = False


def _encoder_stacks(base: PreTrainedModel) -> list[Stack]:
    layers = base.encoder.layer
    return [Stack([base.embeddings.word_embeddings], [base.embeddings], [layer.output.dense for layer in layers])]


def _decoder_stacks(base: PreTrainedModel) -> list[Stack]:
    return [
        Stack([part.embed_tokens], [part.layernorm_embedding], [layer.fc2 for layer in part.layers], shifted)
        for part, shifted in ((base.encoder, False), (base.decoder, True))
    ]


def _first_attention(output: ModelOutput, attention_mask: Tensor) -> Tensor:
    """BERT and RoBERTa classify at the first token: what it attends to in the last layer. -> [B, heads, L]."""
    return output.attentions[-1][:, :, 0]


def _last_attention(output: ModelOutput, attention_mask: Tensor) -> Tensor:
    """BART classifies at the last token of its decoder: what that attends to in the encoder. -> [B, heads, L]."""
    last = attention_mask.sum(1) - 1
    return output.cross_attentions[-1][torch.arange(len(last), device=last.device), :, last]


@dataclass(frozen=True)
class Family:
    """How one type of checkpoint reads text.

    The name of its MLM head, the way to the hidden states of masked text, the stacks that its classifier reads
    through, and what the token attends to at which it classifies.
    """

    head: str
    hidden: Callable[..., Tensor]
    stacks: Callable[[PreTrainedModel], list[Stack]]
    attention: Callable[[ModelOutput, Tensor], Tensor]


FAMILIES = {
    "bert": Family("cls", _encoder_hidden, _encoder_stacks, _first_attention),
    "roberta": Family("lm_head", _encoder_hidden, _encoder_stacks, _first_attention),
    "bart": Family("lm_head", _decoder_hidden, _decoder_stacks, _last_attention),
}


class BiasedHead(nn.Module):
    """BART's output layer: the tied projection and the bias that transformers keeps on the model beside it."""

    def __init__(self, projection: nn.Linear, bias: Tensor):
        super().__init__()
        self.projection = projection
        self.register_buffer("bias", bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Logits [..., V] from hidden states [..., H]."""
        return self.projection(hidden) + self.bias


class MaskedLM(nn.Module):
    """The masked-language-model view of a transformers `AutoModelForMaskedLM`: logits at masked positions only."""

    def __init__(self, model: PreTrainedModel):
        super().__init__()
        self.model = model
        self.family = FAMILIES[one_of(model.config.model_type, FAMILIES, "model type")]

    @property
    def head(self) -> nn.Module:
        """The module that maps hidden states [..., H] to logits [..., V]."""
        head = getattr(self.model, self.family.head)
        bias = getattr(self.model, "final_logits_bias", None)
        return head if bias is None else BiasedHead(head, bias)

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the masked tokens, see `masked_logits`. -> [N, V]."""
        return masked_logits(self.family, self.model.base_model, self.head, masked_ids, input_ids, positions, **inputs)


def masked_logits(
    family: Family,
    base: PreTrainedModel,
    head: nn.Module,
    masked_ids: Tensor,
    input_ids: Tensor,
    positions: Tensor,
    **inputs: Tensor,
) -> Tensor:
    """Run the encoder on the rows that hold a mask, the head on the masked positions. -> [N, V], row-major.

    `masked_ids`, `input_ids` (the original text) and `positions` (bool) are [B, L], as are `inputs`: attention_mask
    and, where the family has them, token_type_ids. Rows without a mask add nothing to the loss and are left out.
    """
    rows = positions.any(1)
    inputs = {name: values[rows] for name, values in inputs.items()}
    hidden = family.hidden(base, masked_ids[rows], input_ids[rows], **inputs)
    return head(hidden[positions[rows]])


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
        self.vocabulary: Vocabulary | None = None
        self.mlm_head = self.mlm_encoder = None
        if masked_lm is not None:
            self._attach(masked_lm)

    def _attach(self, masked_lm: MaskedLM) -> None:
        self.mlm_head = masked_lm.head
        if self.encoder == "shared":
            tie(masked_lm, self.classifier.get_input_embeddings().weight)
        else:
            self.mlm_encoder = masked_lm.model.base_model
        if self.encoder == "frozen":
            self.mlm_encoder.requires_grad_(False)
            self.mlm_head.requires_grad_(False)

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
        checkpoint = classifier.config.name_or_path
        if encoder is not None and not checkpoint:
            raise MaskTuneError(
                f"this {type(classifier).__name__} was not loaded from a checkpoint, so its masked-LM head cannot be "
                "found; load it with from_pretrained, or build a MaskTuningModel yourself"
            )
        revision = getattr(classifier.config, "_commit_hash", None)
        return cls._with_language_model(classifier, checkpoint, revision, encoder)

    @classmethod
    def _with_language_model(cls, classifier, checkpoint, revision, encoder) -> "MaskTuningModel":
        if encoder is None:
            return cls(classifier)
        model = cls(classifier, trained_masked_lm(checkpoint, revision), encoder)
        if has_saved_head(checkpoint):
            # Of a model that was saved with a shared encoder, both networks begin with it.
            model._load_language_model(checkpoint, or_else=model.mlm_encoder)
        return model

    @property
    def config(self):
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

    def forward(self, labels: Tensor | None = None, **inputs: Tensor) -> SequenceClassifierOutput:
        """The classifier's loss (mean cross-entropy, with labels [B]) and logits [B, C]."""
        output = self.classifier(labels=labels, **inputs)
        return SequenceClassifierOutput(loss=output.loss, logits=output.logits)

    def mlm_logits(self, masked_ids: Tensor, input_ids: Tensor, positions: Tensor, **inputs: Tensor) -> Tensor:
        """Predictions for the masked tokens, see `masked_logits`. -> [N, V]."""
        base = self.classifier.base_model if self.mlm_encoder is None else self.mlm_encoder
        with torch.no_grad() if self.encoder == "frozen" else contextlib.nullcontext():
            return masked_logits(self.family, base, self.mlm_head, masked_ids, input_ids, positions, **inputs)

    @contextlib.contextmanager
    def edited(
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

    def unattended(self, inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
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
        return self.family.stacks(self.classifier.base_model)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a plain transformers classification checkpoint, and beside it the language model's own weights.

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
        fill(self.classifier.state_dict(), stored(file), file)
        if self.encoder is not None:
            self._load_language_model(folder)

    def _load_language_model(self, folder: str | Path, or_else: nn.Module | None = None) -> None:
        """Its weights from the folder; `or_else` is the encoder that it has where the folder holds none of its own."""
        file = Path(folder) / HEAD_FILE
        weights = stored(file)
        if or_else is not None and not any(name.startswith("mlm_encoder.") for name in weights):
            weights |= or_else.state_dict(prefix="mlm_encoder.")
        fill(self._language_model_tensors(), weights, file)


def shift_right(values: Tensor) -> Tensor:
    """Values of tokens [B, L, ...] one place later, with zeros at the first, where BART's decoder reads its start."""
    return torch.cat([torch.zeros_like(values[:, :1]), values[:, :-1]], dim=1)


def tie(masked_lm: MaskedLM, words: nn.Parameter) -> None:
    """Make the head's projection to the vocabulary the word embeddings `words` [V, H], if it is its own model's.

    A projection that was trained apart from the embeddings (tie_word_embeddings=False) stays what it is. Raises
    MaskTuneError for a vocabulary of another size.
    """
    projection = masked_lm.model.get_output_embeddings()
    if projection.weight.shape != words.shape:
        raise MaskTuneError(
            f"the classifier has word embeddings of shape {list(words.shape)}, the masked-LM head of its checkpoint "
            f"{list(projection.weight.shape)}; resize both, and save them as one checkpoint"
        )
    if projection.weight is masked_lm.model.get_input_embeddings().weight:
        projection.weight = words


def has_saved_head(checkpoint: str | Path) -> bool:
    """Whether `MaskTuningModel.save_pretrained` wrote this folder."""
    return (Path(checkpoint) / HEAD_FILE).exists()


def trained_masked_lm(checkpoint: str | Path, revision: str | None = None) -> MaskedLM:
    """The masked language model of a checkpoint. Raises MaskTuneError if its head was never trained."""
    masked_lm, missing = masked_lm_and_missing(checkpoint, revision)
    if missing and not has_saved_head(checkpoint):
        raise MaskTuneError(
            f"the checkpoint {str(checkpoint)!r} has no trained masked-LM head ({missing[0]} is missing); adapt it "
            "first with masktune.pretraining.checkpoints.prepare (an `adaptation` of the model), or choose another "
            "checkpoint"
        )
    return masked_lm


def masked_lm_and_missing(checkpoint: str | Path, revision: str | None = None) -> tuple[MaskedLM, list[str]]:
    """The masked language model of a checkpoint, and the names of head weights it lacks (drawn at random instead)."""
    with loading(checkpoint, revision):
        config = AutoConfig.from_pretrained(checkpoint, revision=revision or "main")
        one_of(config.model_type, FAMILIES, "model type")
        model, info = AutoModelForMaskedLM.from_pretrained(
            checkpoint, revision=revision or "main", ignore_mismatched_sizes=True, output_loading_info=True
        )
    missing = _take_bias(model, info["missing_keys"])
    check_loaded(model, {**info, "missing_keys": missing}, checkpoint, whole=False)
    return MaskedLM(model), sorted(missing)


def _take_bias(model: PreTrainedModel, missing: set[str]) -> set[str]:
    """transformers 4 stored one bias of a head with a decoder of its own; here the decoder has it. -> still missing."""
    for name in missing:
        bias = name.replace(".decoder.bias", ".bias")
        if bias != name and bias not in missing:
            model.get_parameter(name).data.copy_(model.get_parameter(bias))
            return missing - {name}
    return missing
