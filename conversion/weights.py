"""Keeps large constants out of the graph while it is worked on.

TensorFlow and tf2onnx copy a graph at every step, and a network's graph is nearly all weights: without them a step
takes no memory to speak of. They go to a file, a placeholder stands for each, and the ONNX graph refers to the file.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from numpy.typing import NDArray
from onnx import TensorProto
from onnx.external_data_helper import set_external_data
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef

LARGE_BYTES = 64 * 1024
"""Smaller constants stay: what converters ask the value of (shapes, means, axes) is small."""
MARK = "_slipway_weight"
"""Attribute of a placeholder that stands for a weight: the weight's name. It survives renaming and inlining."""
PLACEHOLDER = "Placeholder"


@dataclass(frozen=True)
class _Weight:
    offset: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    @property
    def length(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.shape))


class WeightFile:
    """Weights one after the other, in one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._weights: dict[str, _Weight] = {}
        self._end = 0

    def detach(self, graph_def: GraphDef) -> GraphDef:
        """The graph with placeholders instead of its large constants, which are written to the file."""
        light = GraphDef(versions=graph_def.versions)
        light.library.CopyFrom(graph_def.library)
        with self.file.open("ab") as stream:
            for node in graph_def.node:
                array = _large_constant(node)
                light.node.append(node if array is None else _placeholder(node))
                if array is not None:
                    weight = _Weight(self._end, array.dtype, array.shape)
                    stream.write(np.ascontiguousarray(array).data)
                    self._weights[node.name] = weight
                    self._end += weight.length
        return light

    def attach(self, model: onnx.ModelProto, weights: dict[str, str]) -> None:
        """Makes initialisers of inputs (name of the input → name of the weight) that refer to the file."""
        for value in [value for value in model.graph.input if value.name in weights]:
            weight = self._weights[weights[value.name]]
            tensor = TensorProto(
                name=value.name, data_type=onnx.helper.np_dtype_to_tensor_dtype(weight.dtype), dims=weight.shape
            )
            tensor.raw_data = b""  # without the field, set_external_data takes the tensor for empty
            set_external_data(tensor, self.file.name, weight.offset, weight.length)
            tensor.ClearField("raw_data")
            model.graph.initializer.append(tensor)
            model.graph.input.remove(value)


def weights_of(graph_def: GraphDef) -> Iterator[tuple[str, str]]:
    """Nodes of the main graph that stand for a weight, with the weight's name."""
    for node in graph_def.node:
        if MARK in node.attr:
            yield node.name, node.attr[MARK].s.decode()


def _large_constant(node: NodeDef) -> NDArray[Any] | None:
    if node.op != "Const":
        return None
    tensor = node.attr["value"].tensor
    dtype = tf.as_dtype(tensor.dtype)
    elements = tf.TensorShape(tensor.tensor_shape).num_elements()
    plain = dtype.is_numpy_compatible and dtype.as_numpy_dtype in (np.float16, np.float32, np.float64)
    if not plain or elements is None or elements * dtype.size < LARGE_BYTES:
        return None
    return tf.make_ndarray(tensor)


def _placeholder(constant: NodeDef) -> NodeDef:
    tensor = constant.attr["value"].tensor
    node = NodeDef(name=constant.name, op=PLACEHOLDER)
    node.attr["dtype"].type = tensor.dtype
    node.attr["shape"].shape.CopyFrom(tensor.tensor_shape)
    node.attr[MARK].s = constant.name.encode()
    return node
