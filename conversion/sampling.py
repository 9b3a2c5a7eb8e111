"""What a preprocessing graph does to the pixels, where that is one bilinear resize, a crop, and a scale by channel.

Of a photo of 12 megapixels an image of 224 x 224 needs 200,000 pixels, and onnxruntime's Resize wants all of them as
floats, in another order. A server that knows where each value comes from computes these alone. How large the photo is
resized and where it is cropped stays with the graph: what computes it from the photo's height and width becomes a graph
of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from conversion.geometry import SHAPE, Geometry

Y, X, C, ONE = "y", "x", "channel", "one"
CROPPED = ""
"""In place of a size that is not followed."""
CHANNELS = 3
COORDINATES = frozenset({b"half_pixel", b"asymmetric", b"align_corners"})
"""Of ONNX's Resize, how a place in the resized image becomes one in the photo."""
AS_TENSORFLOW = {"mode": b"linear", "antialias": 0, "exclude_outside": 0, "keep_aspect_ratio_policy": b"stretch"}


class OtherError(Exception):
    """The graph does something else; the message says what."""


@dataclass(frozen=True)
class Sampling:
    """``image[y, x, c] = scale[c] * photo[y', x', channels[c]] + offset[c]``, the photo resized and then cropped."""

    geometry: onnx.ModelProto
    """int64 ``shape`` [height, width, 3] of the photo to int64 ``resized`` [height, width] and ``corner`` [y, x]."""
    coordinates: str
    size: tuple[int, int]
    """Height and width of the image."""
    channels: tuple[int, ...]
    scale: tuple[float, ...]
    offset: tuple[float, ...]


def find_sampling(preprocess: onnx.ModelProto) -> Sampling:
    """Follows the pixels through the graph.

    Raises:
        OtherError: they go through something else.
    """
    return _Path(preprocess).sampling()


class _Path:
    """The pixels on their way: what has become of them so far."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._constants = {value.name: numpy_helper.to_array(value) for value in model.graph.initializer}
        self._geometry = Geometry(model)
        self._pixels = model.graph.input[0].name
        self._axes = [Y, X, C]
        self._sizes = self._geometry.sizes(SHAPE, range(len(self._axes)))
        self._seen = {self._pixels: list(self._sizes)}
        self._channels = np.arange(CHANNELS)
        self._scale, self._offset = np.ones(CHANNELS), np.zeros(CHANNELS)
        self._coordinates: str | None = None
        self._resized: dict[str, str] = {}
        self._corner: dict[str, str] = {}
        self._steps: Mapping[str, Callable[[onnx.NodeProto, dict[str, Any]], None]] = {
            "Cast": self._cast,
            "Identity": lambda *_: None,
            "Unsqueeze": self._unsqueeze,
            "Squeeze": self._squeeze,
            "Transpose": self._transpose,
            "Resize": self._resize,
            "Slice": self._slice,
            "Gather": self._gather,
            "Add": self._arithmetic,
            "Sub": self._arithmetic,
            "Mul": self._arithmetic,
            "Div": self._arithmetic,
        }

    def sampling(self) -> Sampling:
        for node in self._model.graph.node:
            if not self._seen.keys() & set(node.input):
                self._geometry.add(node)
            elif node.op_type == "Shape":
                self._shape(node)
            else:
                self._follow(node)
        (output,) = self._model.graph.output
        height, width = (dimension.dim_value for dimension in output.type.tensor_type.shape.dim[:2])
        if self._pixels != output.name or self._axes != [Y, X, C] or not (height and width) or not self._coordinates:
            raise OtherError("no resize to a fixed size")
        return Sampling(
            self._geometry.model({"resized": self._both(self._resized), "corner": self._both(self._corner)}),
            self._coordinates,
            (height, width),
            tuple(int(channel) for channel in self._channels),
            tuple(float(value) for value in self._scale),
            tuple(float(value) for value in self._offset),
        )

    def _follow(self, node: onnx.NodeProto) -> None:
        step = self._steps.get(node.op_type)
        if step is None or self._pixels not in node.input or len(node.output) != 1:
            raise OtherError(f"{node.op_type} of pixels")
        step(node, {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute})
        self._pixels = node.output[0]
        self._seen[self._pixels] = list(self._sizes)

    def _shape(self, node: onnx.NodeProto) -> None:
        sizes = self._seen[node.input[0]]
        if CROPPED in sizes or any(attribute.name == "end" or attribute.i for attribute in node.attribute):
            raise OtherError("a part of a shape, or one after a crop")
        self._geometry.concatenate(sizes, node.output[0])

    def _cast(self, _: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        if attributes["to"] != onnx.TensorProto.FLOAT:
            raise OtherError("pixels that are no floats")

    def _unsqueeze(self, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        for axis in sorted(self._constant(node.input[1]).tolist()):
            self._axes.insert(axis, ONE)
            self._sizes.insert(axis, self._geometry.constant([1]))

    def _squeeze(self, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        for axis in sorted(self._constant(node.input[1]).tolist(), reverse=True):
            if self._axes.pop(axis) != ONE:
                raise OtherError("a photo that is squeezed")
            self._sizes.pop(axis)

    def _transpose(self, _: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        self._axes = [self._axes[axis] for axis in attributes["perm"]]
        self._sizes = [self._sizes[axis] for axis in attributes["perm"]]

    def _resize(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        coordinates = attributes.get("coordinate_transformation_mode", b"half_pixel")
        differs = any(attributes.get(name, value) != value for name, value in AS_TENSORFLOW.items())
        if self._coordinates or differs or "axes" in attributes or coordinates not in COORDINATES:
            raise OtherError("another resize")
        if attributes.get("mode") != b"linear" or len(node.input) < 4 or not node.input[3]:
            raise OtherError("another resize")
        self._coordinates = coordinates.decode()
        self._sizes = self._geometry.sizes(node.input[3], range(len(self._axes)))
        self._resized = {axis: size for axis, size in zip(self._axes, self._sizes, strict=True) if axis in (Y, X)}

    def _slice(self, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        _data, starts, ends, *others = node.input
        axes = self._constant(others[0]).tolist() if others else list(range(len(self._axes)))
        steps = self._constant(others[1]).tolist() if len(others) > 1 else [1] * len(axes)
        for position, (axis, step) in enumerate(zip(axes, steps, strict=True)):
            name = self._axes[axis]
            if name in (Y, X) and step == 1 and self._coordinates and name not in self._corner:
                (self._corner[name],) = self._geometry.sizes(starts, [position])
                self._sizes[axis] = CROPPED
            elif name == C and step == -1:
                self._require_all(self._constant(starts)[position], self._constant(ends)[position])
                self._reorder(np.arange(CHANNELS)[::-1])
            elif name not in (C, ONE) or step != 1:
                raise OtherError("a crop before the resize, or with steps")

    @staticmethod
    def _require_all(start: int, end: int) -> None:
        if (start != -1 and start < CHANNELS - 1) or end >= -CHANNELS:
            raise OtherError("some of the channels")

    def _gather(self, node: onnx.NodeProto, attributes: dict[str, Any]) -> None:
        order = self._constant(node.input[1])
        if self._axes[attributes.get("axis", 0)] != C or sorted(order.tolist()) != list(range(CHANNELS)):
            raise OtherError("some of the pixels")
        self._reorder(order)

    def _reorder(self, order: NDArray[Any]) -> None:
        self._channels = self._channels[order]
        self._scale, self._offset = self._scale[order], self._offset[order]

    def _arithmetic(self, node: onnx.NodeProto, _: dict[str, Any]) -> None:
        first, second = node.input
        by = self._by_channel(self._constant(second if first == self._pixels else first))
        if node.op_type == "Add":
            self._offset = self._offset + by
        elif node.op_type == "Mul":
            self._scale, self._offset = self._scale * by, self._offset * by
        elif node.op_type == "Sub":
            sign = 1 if first == self._pixels else -1
            self._scale, self._offset = sign * self._scale, sign * (self._offset - by)
        elif first == self._pixels:
            self._scale, self._offset = self._scale / by, self._offset / by
        else:
            raise OtherError("something divided by pixels")

    def _by_channel(self, value: NDArray[Any]) -> NDArray[np.float64]:
        """A constant that is the same for all pixels, for each channel."""
        shape = [1] * (len(self._axes) - value.ndim) + list(value.shape)
        if any(size != 1 and axis != C for axis, size in zip(self._axes, shape, strict=True)):
            raise OtherError("arithmetic that differs between pixels")
        return np.broadcast_to(value.astype(np.float64).flatten(), CHANNELS)

    def _both(self, by_axis: Mapping[str, str]) -> list[str]:
        return [by_axis.get(axis) or self._geometry.constant([0]) for axis in (Y, X)]

    def _constant(self, name: str) -> NDArray[Any]:
        if name not in self._constants:
            raise OtherError("a constant that is computed")
        return self._constants[name]
