"""Image models that can be built as SavedModels, by name."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conversion.featurizers.request import BuildRequest
    from conversion.featurizers.served_model import Blueprint

FEATURIZERS: Mapping[str, str] = {
    "densenet121": "conversion.featurizers.keras_classifiers",
    "efficientnet-lite0": "conversion.featurizers.efficientnet_lite0",
    "resnet50": "conversion.featurizers.keras_classifiers",
    "resnet152": "conversion.featurizers.keras_classifiers",
    "ssd-vgg": "conversion.featurizers.ssd_vgg",
    "vgg16": "conversion.featurizers.keras_classifiers",
}
"""Name on the command line → module that designs it, loaded on demand: TensorFlow is slow to import."""


def designer(name: str) -> "Callable[[BuildRequest], Blueprint]":
    """The function that designs the model of that name."""
    design: Callable[[BuildRequest], Blueprint] = import_module(FEATURIZERS[name]).design
    return design
