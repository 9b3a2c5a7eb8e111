"""ImageNet classifiers of keras.applications, each with the preprocessing that its weights were trained with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from conversion.featurizers.head import Head
from conversion.featurizers.imagenet import CLASSES, SIZE, class_names, decode_and_crop
from conversion.featurizers.request import BuildRequest
from conversion.featurizers.served_model import Blueprint, classifier
from conversion.featurizers.weights import with_weights

CAFFE_MEAN = (103.939, 116.779, 123.68)
"""Of blue, green and red: networks that were first trained with Caffe."""
TORCH_MEAN, TORCH_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of red, green and blue in 0..1: networks that were first trained with PyTorch."""
PREDICTIONS = "predictions"
"""Layer that keras.applications ends its classifiers with; what it takes are the features."""


@dataclass(frozen=True)
class Architecture:
    """A network of keras.applications."""

    network: Callable[..., Any]
    """Takes ``weights``, ``classes``; the last layer is the classifier."""
    normalise: Callable[[tf.Tensor], tf.Tensor]
    """RGB pixels in 0..255 to what the network was trained on."""


def caffe(pixels: tf.Tensor) -> tf.Tensor:
    """BGR, without the mean."""
    return tf.reverse(pixels, [-1]) - CAFFE_MEAN


def torch(pixels: tf.Tensor) -> tf.Tensor:
    """RGB in 0..1, standardised."""
    return (pixels / 255.0 - TORCH_MEAN) / TORCH_DEVIATION


ARCHITECTURES: Mapping[str, Architecture] = {
    "densenet121": Architecture(keras.applications.DenseNet121, torch),
    "resnet50": Architecture(keras.applications.ResNet50, caffe),
    "resnet152": Architecture(keras.applications.ResNet152, caffe),
    "vgg16": Architecture(keras.applications.VGG16, caffe),
}


def design(request: BuildRequest, architecture: Architecture | None = None) -> Blueprint:
    """The classifier that is asked for; ``architecture`` takes the place of the one of that name.

    Raises:
        BuildError: the weights or the classifier cannot be used.
    """
    chosen = architecture or ARCHITECTURES[request.name]
    classes = request.class_count(CLASSES)
    model, weights = with_weights(request, lambda source: chosen.network(weights=source, classes=classes))
    layer = model.get_layer(PREDICTIONS)
    featurizer = keras.Model(model.input, layer.input)

    def features(images: tf.Tensor) -> tf.Tensor:
        return featurizer(images, training=False)

    kernel, bias = layer.get_weights()
    labels = tuple(class_names()) if classes == CLASSES else None
    head = request.head or Head(kernel, bias, labels, "default")
    outputs, variables = classifier(features, featurizer.output.shape[-1], head)
    return Blueprint(
        version="1",
        weights=weights,
        size=SIZE,
        preprocess=lambda jpeg: chosen.normalise(decode_and_crop(jpeg)),
        features=features,
        outputs=outputs,
        variables=[*(variable.value for variable in featurizer.variables), *variables],
        head=head.digest,
        labels=head.labels,
    )
