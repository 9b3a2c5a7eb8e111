"""What is asked of a featurizer when it is built."""

from dataclasses import dataclass
from pathlib import Path

from conversion.errors import BuildError
from conversion.featurizers.head import Head

IMAGENET = "imagenet"
NONE = "none"
SEED = 20190528
"""Seed of random weights: the same on every machine, so that equal requests give equal models."""
RANDOM = f"none (random, seed {SEED})"
"""How random weights are named in a model's tags."""


@dataclass(frozen=True)
class BuildRequest:
    """Which model, and whose weights."""

    name: str
    weights: str = IMAGENET
    """``imagenet``, ``none`` (random) or the path of a file."""
    classes: int | None = None
    """Size of the default classifier; None means that of the weights."""
    head: Head | None = None
    """A classifier of one's own on the featurizer."""

    def weights_file(self) -> Path | None:
        """The file that the weights come from, if they come from one.

        Raises:
            BuildError: it is not there.
        """
        if self.weights in (IMAGENET, NONE):
            return None
        file = Path(self.weights)
        if not file.is_file() and not file.with_name(f"{file.name}.index").is_file():
            raise BuildError("WeightsNotFound", f"there is no weights file {file}", "give imagenet, none or a file")
        return file

    def class_count(self, known: int) -> int:
        """Classes of the default classifier, where published weights know ``known`` of them.

        Raises:
            BuildError: published weights of another number of classes are asked for.
        """
        classes = self.classes or known
        if self.weights == IMAGENET and classes != known:
            raise BuildError(
                "ClassesMismatch",
                f"the published weights of {self.name} know {known} classes, not {classes}",
                "give a classifier of your own with --head",
            )
        if self.classes and self.head:
            raise BuildError("ClassesMismatch", "--head brings its own classes", "leave --classes out")
        return classes
