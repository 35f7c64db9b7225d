"""Where a model comes from: a checkpoint, and what transformers must be told to load it again.

transformers remembers the name and the commit of what it loaded, and not the subfolder, the cache, the token of a
private repository: who attaches a masked-LM head to a classifier that was loaded with those says them once more.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from masktune.errors import MaskTuneError


@dataclass(frozen=True)
class Origin:
    """A checkpoint (a folder or hub id) and how it is read: the arguments of `from_pretrained` of the same names."""

    checkpoint: str
    revision: str | None = None
    subfolder: str = ""
    cache_dir: str | None = None
    token: str | bool | None = field(default=None, repr=False)
    local_files_only: bool = False
    trust_remote_code: bool = False

    def arguments(self) -> dict[str, Any]:
        """What `from_pretrained` gets besides the checkpoint; what is not given is left to transformers."""
        given = {name: getattr(self, name) for name in ("subfolder", "cache_dir", "token")}
        flags = {name: True for name in ("local_files_only", "trust_remote_code") if getattr(self, name)}
        return {"revision": self.revision or "main", **{name: value for name, value in given.items() if value}, **flags}

    @property
    def name(self) -> str:
        """As messages quote it."""
        return f"{self.checkpoint}/{self.subfolder}" if self.subfolder else self.checkpoint

    @property
    def folder(self) -> Path:
        """Where its files are, if it is a folder."""
        return Path(self.checkpoint) / self.subfolder

    @classmethod
    def of(cls, classifier: PreTrainedModel, checkpoint: str | Path | None = None, **given: Any) -> "Origin":
        """What a loaded classifier remembers of where it came from, and `given`, which goes before.

        Another `checkpoint` than the classifier's own has nothing to do with its commit. Raises MaskTuneError for a
        classifier that was not loaded from a checkpoint, where none is given.
        """
        given = {name: value for name, value in given.items() if value}
        if type(classifier).__module__.startswith("transformers_modules"):  # its own code was trusted already
            given.setdefault("trust_remote_code", True)
        if checkpoint is not None:
            return cls(str(checkpoint), **given)
        if not classifier.config.name_or_path:
            raise MaskTuneError(
                f"this {type(classifier).__name__} was not loaded from a checkpoint, so its masked-LM head cannot be "
                "found; name the checkpoint that has one: MaskTuningModel.from_classifier(classifier, checkpoint=...)"
            )
        given.setdefault("revision", getattr(classifier.config, "_commit_hash", None))
        return cls(classifier.config.name_or_path, **given)
