"""One encoder, two heads: a transformers classifier and the masked-LM head of the same checkpoint.

B is the batch size, L the padded length, H the hidden size, N the number of masked tokens, V the vocabulary,
C the number of classes.

The paper does not say whether the masked language model and the classifier share an encoder; "updates everything" and
one joint loss read as one encoder (our primary choice). `encoder="separate"` gives the language model a network of its
own, `encoder="frozen"` one that is never trained.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from masktune.errors import MaskTuneError, one_of
from masktune.losses import ENCODERS
from masktune.models.adapters import check_classifier, is_adapted, load_adapter, unwrapped
from masktune.models.editing import Editing
from masktune.models.masked_lm import HEAD_FILE, MaskedLM, has_saved_head, load_masked_lm, masked_logits
from masktune.models.origin import Origin
from masktune.models.saving import load_language_model, save_language_model
from masktune.models.sharing import base_of, fit_vocabulary, made_whole, resize, use_encoder
from masktune.models.surface import ClassifierSurface, takes_anything
from masktune.models.weights import check_loaded, copy_weights, loading, read_checkpoint
from masktune.perturb import Vocabulary
from masktune.streams import derive

# What BART puts out besides, unasked: as large as the batch's encoding, and read by nobody.
ENCODER_STATES = ("encoder_last_hidden_state", "past_key_values")


class MaskTuningModel(ClassifierSurface, Editing):
    """A classifier and the masked-LM head of its checkpoint on one encoder.

    As an `nn.Module` it is the classifier: `forward(**batch)` returns transformers' output with loss and logits [B, C],
    and what Trainer asks of a model is the classifier's answer (masktune.models.surface). `mlm_logits` is the language
    model's side; `encoder=None` leaves it out, for methods that need none. `vocabulary` (from the tokenizer) is set by
    the trainer, because perturbing needs to know the mask token.

    The classifier may be of any type that transformers has a masked language model of, and in a wrapper of peft.

    `checkpoint` being a name or folder as of `from_pretrained`, such as bert-base-uncased:

    >>> model = MaskTuningModel.from_pretrained(checkpoint, ["negative", "positive"], seed=0)
    >>> model.save_pretrained("mask-tuned")
    >>> AutoModelForSequenceClassification.from_pretrained("mask-tuned").config.id2label
    {0: 'negative', 1: 'positive'}
    """

    def __init__(self, classifier: PreTrainedModel, masked_lm: MaskedLM | None = None, encoder: str = "shared"):
        super().__init__()
        self.classifier = classifier
        self.encoder = one_of(encoder, ENCODERS, "encoder") if masked_lm is not None else None
        self._vocabulary: Vocabulary | None = None
        self.mlm_head: PreTrainedModel | None = None
        self.mlm_encoder: PreTrainedModel | None = None
        if masked_lm is not None:
            self._attach(masked_lm.model)

    def _attach(self, masked_lm: PreTrainedModel) -> None:
        """Register the head, and the encoder where it is the language model's own. See masktune.models.sharing."""
        fit_vocabulary(masked_lm, self.classifier.get_input_embeddings().get_parameter("weight"))
        shared = self.encoder == "shared"
        encoder = self.encoder_of_classifier if shared else base_of(masked_lm)
        use_encoder(masked_lm, encoder)
        self.mlm_head = masked_lm
        self.mlm_encoder = None if shared else encoder
        for module in filter(None, (self.mlm_head, self.mlm_encoder)):
            nn.Module.to(module, self.classifier.device)
        if self.encoder == "frozen":
            encoder.requires_grad_(False)
            masked_lm.requires_grad_(False)

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: str | Path,
        label_names: Sequence[str],
        seed: int,
        revision: str | None = None,
        encoder: str | None = "shared",
        *,
        dtype: torch.dtype | str | None = None,
        subfolder: str = "",
        cache_dir: str | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
    ) -> "MaskTuningModel":
        """Load both heads of a checkpoint; the new classification head is initialised from (seed, "head").

        The classification head is drawn as transformers draws it. What follows `encoder` is passed on to
        `from_pretrained` of transformers, for both heads. Raises MaskTuneError for a checkpoint that cannot be read or
        lacks a tensor, a type of model without masked-LM head, or one whose masked-LM head was never trained.

        >>> model = MaskTuningModel.from_pretrained(checkpoint, ["negative", "positive"], seed=0)
        >>> model.encoder, model.config.id2label
        ('shared', {0: 'negative', 1: 'positive'})
        """
        origin = Origin(str(checkpoint), revision, subfolder, cache_dir, token, local_files_only, trust_remote_code)
        names = dict(enumerate(label_names))
        with loading(origin.name, origin.revision), torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(seed, "head"))
            classifier, info = AutoModelForSequenceClassification.from_pretrained(
                origin.checkpoint,
                **origin.arguments(),
                **({} if dtype is None else {"dtype": dtype}),
                num_labels=len(names),
                id2label=names,
                label2id={name: index for index, name in names.items()},
                ignore_mismatched_sizes=True,  # refused here, by name
                output_loading_info=True,
            )
        whole = type(classifier).__name__ in (classifier.config.architectures or ())
        check_loaded(classifier, info, origin, whole)
        return cls._with_language_model(classifier, origin, encoder)

    @classmethod
    def from_classifier(
        cls,
        classifier: PreTrainedModel,
        encoder: str | None = "shared",
        *,
        checkpoint: str | Path | None = None,
        revision: str | None = None,
        subfolder: str = "",
        cache_dir: str | None = None,
        token: str | bool | None = None,
        local_files_only: bool = False,
        trust_remote_code: bool = False,
    ) -> "MaskTuningModel":
        """Attach to a loaded `AutoModelForSequenceClassification` the masked-LM head of the checkpoint it came from.

        transformers remembers the checkpoint and its commit; a subfolder, cache or token with which the classifier was
        loaded must be said once more. `checkpoint` names another one, with a head that fits. The head has the
        classifier's device, number type and number of tokens. Raises MaskTuneError for what is no classifier of
        transformers (compiled, or in another wrapper than peft's, too), and where no trained head is found.

        >>> MaskTuningModel.from_classifier(classifier).classifier is classifier
        True
        """
        check_classifier(classifier)
        if encoder is None:
            unwrapped(classifier)
            return cls(classifier)
        given = {
            "revision": revision,
            "subfolder": subfolder,
            "cache_dir": cache_dir,
            "token": token,
            "local_files_only": local_files_only,
            "trust_remote_code": trust_remote_code,
        }
        return cls._with_language_model(classifier, Origin.of(unwrapped(classifier), checkpoint, **given), encoder)

    @classmethod
    def _with_language_model(
        cls, classifier: PreTrainedModel, origin: Origin, encoder: str | None
    ) -> "MaskTuningModel":
        if encoder is None:
            return cls(classifier)
        _check_in_one_place(classifier)
        masked_lm = load_masked_lm(origin, dtype=unwrapped(classifier).dtype)
        _warn_of_other_words(unwrapped(classifier), masked_lm.model, origin)
        model = cls(classifier, masked_lm, encoder)
        if has_saved_head(origin):
            # Of a model that was saved with a shared encoder, both networks begin with it.
            load_language_model(model, origin.folder, or_else=model.mlm_encoder)
        return model

    @property
    def vocabulary(self) -> Vocabulary:
        """What perturbing needs to know of the tokenizer. Raises MaskTuneError before it is set."""
        if self._vocabulary is None:
            raise MaskTuneError("the model has no vocabulary yet; set model.vocabulary = Vocabulary.of(tokenizer)")
        return self._vocabulary

    @vocabulary.setter
    def vocabulary(self, vocabulary: Vocabulary) -> None:
        """Raises MaskTuneError for a tokenizer with more tokens than the model has embeddings of."""
        tokens = len(self.classifier.get_input_embeddings().get_parameter("weight"))
        if vocabulary.size > tokens:
            raise MaskTuneError(
                f"the tokenizer has {vocabulary.size} tokens, the model embeddings of {tokens}: call "
                "model.resize_token_embeddings(len(tokenizer)) before training"
            )
        self._vocabulary = vocabulary

    @property
    def config(self) -> PreTrainedConfig:
        """The classifier's transformers configuration."""
        return self.classifier.config

    @property
    def device(self) -> torch.device:
        """The device that the classifier is on."""
        return self.classifier.device

    def forward(
        self,
        labels: Tensor | None = None,
        soft_words: Tensor | None = None,
        soft_positions: Tensor | None = None,
        **inputs: Tensor,
    ) -> SequenceClassifierOutput:
        """The classifier's loss (mean cross-entropy, with labels [B]) and logits [B, C], and what else its config asks.

        `soft_words` [B, L, H] are read in the place of the looked-up word embeddings at `soft_positions`, bool [B, L].

        >>> output = model(**inputs, labels=torch.tensor([0, 1]))
        >>> output.logits.shape, output.loss.shape
        (torch.Size([2, 2]), torch.Size([]))
        """
        with contextlib.ExitStack() as reading:
            if soft_words is not None and soft_positions is not None:
                reading.enter_context(self.read_softly(soft_words, soft_positions))
            if "num_items_in_batch" in inputs and not takes_anything(self.transformers_classifier.forward):
                del inputs["num_items_in_batch"]
            output = self.classifier(labels=labels, **inputs)
        kept = {name: value for name, value in output.items() if name not in ENCODER_STATES}
        return type(output)(**kept)

    def expected_words(self, probabilities: Tensor) -> Tensor:
        """The mean of the classifier's word embeddings, weighted by probabilities [N, V]. -> [N, H].

        In the precision of the embeddings, under autocast too: of a certain prediction it is the embedding itself.

        >>> words = model.classifier.get_input_embeddings().weight
        >>> torch.equal(model.expected_words(torch.eye(len(words))), words)
        True
        """
        words = self.classifier.get_input_embeddings().get_parameter("weight")
        with torch.autocast(words.device.type, enabled=False):
            return probabilities.to(words.dtype) @ words

    @contextlib.contextmanager
    def without_dropout(self) -> Iterator[None]:
        """Within the block the model computes in evaluation mode; after it every module is as it was.

        >>> with model.train().without_dropout():
        ...     print(model.training)
        False
        >>> model.training
        True
        """
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

        >>> positions = torch.zeros_like(inputs["input_ids"], dtype=torch.bool)
        >>> positions[0, 1] = True  # the first word of the first text
        >>> masked_ids = inputs["input_ids"].masked_fill(positions, tokenizer.mask_token_id)
        >>> model.mlm_logits(masked_ids, positions=positions, **inputs).shape == (1, len(tokenizer))
        True
        """
        if self.mlm_head is None:
            raise MaskTuneError("the model has no language model; load it with encoder='shared'")
        with torch.no_grad() if self.encoder == "frozen" else contextlib.nullcontext():
            return masked_logits(self.mlm_head, masked_ids, input_ids, positions, **inputs)

    def resize_token_embeddings(
        self, new_num_tokens: int | None = None, pad_to_multiple_of: int | None = None, mean_resizing: bool = True
    ) -> nn.Module:
        """transformers' own, for both heads: classifier and language model then know as many tokens.

        >>> tokenizer.add_tokens(["mask-tuning"])
        1
        >>> model.resize_token_embeddings(len(tokenizer)).num_embeddings == len(tokenizer)
        True
        """
        before = len(self.classifier.get_input_embeddings().get_parameter("weight"))
        words = self.classifier.resize_token_embeddings(new_num_tokens, pad_to_multiple_of, mean_resizing)
        self.__dict__.pop("_counted", None)
        if self.mlm_head is not None:
            tokens = len(words.get_parameter("weight"))
            with made_whole(self.mlm_head):
                if self.mlm_encoder is None:
                    resize(self.mlm_head, before, tokens)
                else:
                    fit_vocabulary(self.mlm_head, words.get_parameter("weight"))
        return words

    def save_pretrained(
        self,
        save_directory: str | Path,
        is_main_process: bool = True,
        state_dict: Mapping[str, Tensor] | None = None,
        push_to_hub: bool = False,
        max_shard_size: int | str = "50GB",
    ) -> None:
        """Write a plain transformers classification checkpoint, and next to it the language model's own weights.

        `AutoModelForSequenceClassification` and `pipeline("text-classification")` load the folder and see nothing of
        the language model; `MaskTuningModel.from_pretrained` finds both. Of a classifier in peft's wrapper the adapter
        is written, as peft does. `state_dict` is that of the whole model. Raises MaskTuneError for `push_to_hub`, which
        would upload the folder before the language model is in it.

        >>> model.save_pretrained("mask-tuned")
        >>> sorted(file.name for file in Path("mask-tuned").iterdir())
        ['config.json', 'mlm_head.safetensors', 'model.safetensors']
        """
        if push_to_hub:
            raise MaskTuneError("push_to_hub = True: call model.push_to_hub(repo_id), which uploads both heads")
        named: dict[str, Any] = {} if is_adapted(self.classifier) else {"max_shard_size": max_shard_size}
        if state_dict is not None:
            start = "classifier."
            named["state_dict"] = {
                name.removeprefix(start): value for name, value in state_dict.items() if name.startswith(start)
            }
        self.classifier.save_pretrained(save_directory, is_main_process=is_main_process, **named)
        if not is_main_process:
            return
        if self.encoder is None:
            (Path(save_directory) / HEAD_FILE).unlink(missing_ok=True)  # of a model that was saved here before
        else:
            save_language_model(self, Path(save_directory), state_dict)

    def load_weights(self, folder: str | Path) -> None:
        """Load in place what `save_pretrained` wrote (resuming a run, going back to its best checkpoint).

        Raises MaskTuneError that names the first tensor of the classifier or its language model that the folder lacks,
        has too many, or has in another shape.

        >>> model.save_pretrained("epoch-1")
        >>> model.load_weights("epoch-1")
        """
        folder = Path(folder)
        if is_adapted(self.classifier):
            load_adapter(self.classifier, folder)
        else:
            places = self.classifier.state_dict()
            copy_weights(places, read_checkpoint(folder, self.classifier), folder / "model.safetensors")
        if self.encoder is not None:
            load_language_model(self, folder)


def _check_in_one_place(classifier: PreTrainedModel) -> None:
    """Raise MaskTuneError for a classifier whose layers are on several devices: a head belongs to one."""
    places = set((getattr(classifier, "hf_device_map", None) or {}).values())
    if len(places) > 1:
        raise MaskTuneError(
            f"the classifier is spread over {', '.join(sorted(map(str, places)))} (device_map); load it on one device"
        )


def _warn_of_other_words(classifier: PreTrainedModel, masked_lm: PreTrainedModel, origin: Origin) -> None:
    """Say so where the checkpoint that a classifier remembers has other word embeddings than the classifier.

    It was trained since it was loaded, or it comes from a subfolder, which transformers does not remember.
    """
    words, others = (model.get_input_embeddings().get_parameter("weight").detach() for model in (classifier, masked_lm))
    rows = min(len(words), len(others))  # tokens may have been added
    if words.shape[1:] == others.shape[1:] and torch.equal(words[:rows].cpu(), others[:rows].to("cpu", words.dtype)):
        return
    warnings.warn(
        f"the word embeddings of this {type(classifier).__name__} are not those of {origin.name!r}, from which its "
        "masked-LM head is taken: unless it was trained since, name the checkpoint that it was loaded from, as in "
        "MaskTuningModel.from_classifier(classifier, subfolder=...)",
        stacklevel=2,
    )
