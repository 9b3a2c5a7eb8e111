"""Networks of the featurizers' kinds, small enough to build and convert in seconds."""

from typing import Any

import keras
from keras.src.applications.densenet import DenseNet
from keras.src.applications.resnet import ResNet, stack_residual_blocks_v1

from conversion.featurizers import ssd_vgg
from conversion.featurizers.keras_classifiers import ARCHITECTURES, Architecture, design
from conversion.featurizers.request import NONE, BuildRequest
from conversion.featurizers.served_model import Blueprint

CLASSES = 7
SSD_WIDTH = 32
"""Divisor of SSD's filters."""


def resnet(weights: str | None, classes: int, name: str = "resnet50") -> Any:
    # ResNet-152 is ResNet-50 with more blocks in the middle.
    count = {"resnet50": 2, "resnet152": 3}[name]

    def blocks(x: Any) -> Any:
        first = stack_residual_blocks_v1(x, 4, 1, stride1=1, name="conv2")
        return stack_residual_blocks_v1(first, 8, count, name="conv3")

    return ResNet(blocks, preact=False, use_bias=True, name=name, weights=weights, classes=classes)


def resnet152(weights: str | None, classes: int) -> Any:
    return resnet(weights, classes, "resnet152")


def densenet(weights: str | None, classes: int) -> Any:
    return DenseNet([1, 1, 1, 1], weights=weights, classes=classes, name="densenet121")


def vgg(weights: str | None, classes: int) -> Any:
    assert weights is None
    x = image = keras.layers.Input((224, 224, 3))
    for filters in (4, 8):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(8)(x)
    x = keras.layers.Dense(16, activation="relu")(keras.layers.Flatten()(x))
    return keras.Model(image, keras.layers.Dense(classes, activation="softmax", name="predictions")(x), name="vgg16")


NETWORKS = {"resnet50": resnet, "resnet152": resnet152, "densenet121": densenet, "vgg16": vgg}


def blueprint(name: str, request: BuildRequest | None = None) -> Blueprint:
    """The featurizer of that name, as it is but for the size of its network."""
    request = request or BuildRequest(name, NONE, CLASSES)
    if name == "ssd-vgg":
        return ssd_vgg.design(request, SSD_WIDTH)
    return design(request, Architecture(NETWORKS[name], ARCHITECTURES[name].normalise))
