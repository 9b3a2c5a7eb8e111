"""SSD300 on VGG-16: boxes and class scores for objects in photos (Liu et al. 2016).

Outputs: ``scores`` (``[N, 8732, classes]`` after a softmax, class 0 is the background) and ``boxes``
(``[N, 8732, 4]``: ymin, xmin, ymax, xmax as shares of the photo). Which boxes mean the same object is left to the
caller: the answer to that has no fixed size.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf
from keras import layers

from conversion.errors import BuildError
from conversion.featurizers.default_boxes import GRIDS, Grid, decode_boxes
from conversion.featurizers.request import IMAGENET, BuildRequest
from conversion.featurizers.served_model import Blueprint
from conversion.featurizers.weights import with_weights

SIZE = 300
CLASSES = 21
"""Those of Pascal VOC, and the background."""
MEAN = (104.0, 117.0, 123.0)
"""Of blue, green and red: the weights that SSD was trained from are Caffe's."""
FEATURE_LAYER = "fc7"
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and their filters, in each block of VGG-16."""
WIDTH = 1
"""Divisor of all filters; more than 1 makes the network small enough for a quick test."""


class ScaledNorm(layers.Layer):
    """Scales each cell to length 20, then its channels by what is learned (ParseNet, Liu et al. 2015)."""

    def build(self, shape: Sequence[int]) -> None:
        """One factor for each channel."""
        self.scale = self.add_weight(shape=(shape[-1],), initializer=keras.initializers.Constant(20), name="scale")

    def call(self, x: Any) -> Any:
        """Same shape as ``x``."""
        length = keras.ops.sqrt(keras.ops.sum(keras.ops.square(x), axis=-1, keepdims=True) + 1e-10)
        return x / length * self.scale


def design(request: BuildRequest, width: int = WIDTH) -> Blueprint:
    """The detector that is asked for.

    Raises:
        BuildError: the weights cannot be used, or a classifier is given.
    """
    if request.head:
        raise BuildError("HeadUnsupported", "ssd-vgg detects objects: a classifier does not fit on it", "leave it out")
    if request.weights == IMAGENET:
        raise BuildError(
            "WeightsUnavailable", "nobody publishes weights of ssd-vgg for Keras", "give --weights FILE or none"
        )
    classes = request.class_count(CLASSES)
    model, weights = with_weights(request, lambda _: detector(classes, width))
    featurizer = keras.Model(model.input, model.get_layer(FEATURE_LAYER).output)

    def outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
        scores, offsets = model(images, training=False)
        return {"scores": tf.nn.softmax(scores), "boxes": decode_boxes(offsets)}

    return Blueprint(
        version="1",
        weights=weights,
        size=SIZE,
        preprocess=preprocess,
        features=lambda images: featurizer(images, training=False),
        outputs=outputs,
        variables=[variable.value for variable in model.variables],
    )


def preprocess(jpeg: tf.Tensor) -> tf.Tensor:
    """JPEG bytes (scalar) to float32 ``[300, 300, 3]`` of the whole photo, stretched; BGR, without mean."""
    image = tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32)
    image = tf.image.resize(image, [SIZE, SIZE], "bilinear", antialias=False)
    return tf.reverse(image, [-1]) - MEAN


def detector(classes: int, width: int = WIDTH) -> Any:
    """The network: images to logits ``[N, 8732, classes]`` and offsets ``[N, 8732, 4]``."""
    image = layers.Input((SIZE, SIZE, 3), name="image")
    maps = _feature_maps(image, width)
    logits = [_predict(x, grid, classes, f"scores{grid.cells}") for x, grid in zip(maps, GRIDS, strict=True)]
    offsets = [_predict(x, grid, 4, f"boxes{grid.cells}") for x, grid in zip(maps, GRIDS, strict=True)]
    outputs = [layers.Concatenate(axis=1, name=name)(x) for name, x in (("logits", logits), ("offsets", offsets))]
    return keras.Model(image, outputs, name="ssd_vgg")


def _feature_maps(x: Any, width: int) -> list[Any]:
    """One for each grid, in their order."""
    maps = []
    for block, (convolutions, filters) in enumerate(BLOCKS, start=1):
        for index in range(1, convolutions + 1):
            x = _conv(x, filters // width, 3, f"conv{block}_{index}")
        if block == 4:
            maps.append(ScaledNorm(name="conv4_3_norm")(x))
        last = block == len(BLOCKS)
        x = layers.MaxPooling2D(3 if last else 2, 1 if last else 2, "same", name=f"pool{block}")(x)
    x = _conv(x, 1024 // width, 3, "fc6", dilation_rate=6)
    x = _conv(x, 1024 // width, 1, FEATURE_LAYER)
    maps.append(x)
    # Two halve the grid; the last two shrink it by what a window of 3 leaves at its borders.
    for name, filters, shrink in (
        ("conv6", 512, {"strides": 2}),
        ("conv7", 256, {"strides": 2}),
        ("conv8", 256, {"padding": "valid"}),
        ("conv9", 256, {"padding": "valid"}),
    ):
        x = _conv(x, filters // 2 // width, 1, f"{name}_1")
        x = _conv(x, filters // width, 3, f"{name}_2", **shrink)
        maps.append(x)
    return maps


def _conv(x: Any, filters: int, kernel: int, name: str, **options: Any) -> Any:
    return layers.Conv2D(filters, kernel, activation="relu", name=name, **{"padding": "same"} | options)(x)


def _predict(x: Any, grid: Grid, values: int, name: str) -> Any:
    x = layers.Conv2D(grid.boxes_per_cell * values, 3, padding="same", name=name)(x)
    return layers.Reshape((grid.cells**2 * grid.boxes_per_cell, values), name=f"{name}_rows")(x)
