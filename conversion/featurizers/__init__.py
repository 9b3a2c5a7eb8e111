"""Image classifiers that can be built as SavedModels, by name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

FEATURIZERS: Mapping[str, str] = {"efficientnet-lite0": "conversion.featurizers.efficientnet_lite0"}
"""Name on the command line → module whose ``build(out)`` writes it, loaded on demand: TensorFlow is slow to import."""


def builder(name: str) -> Callable[[Path], None]:
    """The function that writes the SavedModel of that name into an empty directory."""
    build: Callable[[Path], None] = import_module(FEATURIZERS[name]).build
    return build
