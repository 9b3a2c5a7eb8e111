"""A model as TensorFlow Serving loads it: JPEGs in, and besides its outputs the features that they are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from conversion.errors import BuildError
from conversion.featurizers.head import Head

SERVING = "serving_default"
FEATURES = "features"
"""Signature, and its output, that gives what a classifier of one's own is trained on."""

Network = Callable[[tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Blueprint:
    """What a model is made of."""

    version: str
    """Changes when the model computes something else from the same weights."""
    weights: str
    """Where the weights are from, for the model's tags."""
    size: int
    """Height and width of the images that the network takes, in pixels."""
    preprocess: Network
    """JPEG bytes (scalar) to float32 ``[size, size, 3]``."""
    features: Network
    """Images ``[N, size, size, 3]`` to features."""
    outputs: Callable[[tf.Tensor], Mapping[str, tf.Tensor]]
    """Images to the outputs of the signature."""
    variables: Sequence[tf.Variable]
    """Everything that the network reads; a SavedModel holds only what it is told of."""
    head: str = "default"
    """Whose classifier it has, for the model's tags."""
    labels: Sequence[str] | None = None


class ServedModel(tf.Module):
    """The signatures of a blueprint.

    Keras objects are not part of it: the loader of TensorFlow Serving, which knows TensorFlow 1, does not find the
    variables of Keras 3 models by itself.
    """

    def __init__(self, name: str, blueprint: Blueprint) -> None:
        super().__init__(name=name.replace("-", "_"))
        self._weights = list(blueprint.variables)
        self._blueprint = blueprint

    def signatures(self) -> dict[str, Any]:
        """By name; each takes ``images``, JPEGs as strings ``[N]``."""
        blueprint = self._blueprint
        image = tf.TensorSpec([blueprint.size, blueprint.size, 3], tf.float32)

        def images_of(jpegs: tf.Tensor) -> tf.Tensor:
            return tf.map_fn(blueprint.preprocess, jpegs, fn_output_signature=image)

        def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return dict(blueprint.outputs(images_of(images)))

        def features(images: tf.Tensor) -> dict[str, tf.Tensor]:
            return {FEATURES: blueprint.features(images_of(images))}

        jpegs = tf.TensorSpec([None], tf.string, name="images")
        return {
            name: tf.function(function, input_signature=[jpegs]).get_concrete_function()
            for name, function in ((SERVING, serve), (FEATURES, features))
        }


def classifier(features: Network, width: int, head: Head) -> tuple[Callable[..., Mapping[str, tf.Tensor]], list[Any]]:
    """Outputs (``output_alias``: float32 ``[N, classes]``) of a dense layer on ``width`` features, and its variables.

    Raises:
        BuildError: the head is for features of another size.
    """
    if head.kernel.shape[0] != width:
        raise BuildError(
            "HeadMismatch",
            f"the classifier takes {head.kernel.shape[0]} features, and the featurizer gives {width}",
            "train it on the output of this featurizer's signature 'features'",
        )
    kernel = tf.Variable(head.kernel, trainable=False, name="classifier_kernel")
    bias = tf.Variable(head.bias, trainable=False, name="classifier_bias")

    def outputs(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"output_alias": tf.nn.softmax(tf.matmul(features(images), kernel) + bias)}

    return outputs, [kernel, bias]
