"""The part of a preprocessing graph that computes sizes and places from a photo's height and width."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHAPE = "shape"
"""Input of the graph: int64 [height, width, 3] of the photo."""
PREFIX = "slipway/"


class Geometry:
    """A graph that grows. Names in it are those of the preprocessing graph, and its own."""

    def __init__(self, preprocess: onnx.ModelProto) -> None:
        self._preprocess = preprocess
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = list(preprocess.graph.initializer)

    def add(self, node: onnx.NodeProto) -> None:
        """Takes over a node of the preprocessing graph that sees no pixels."""
        self._nodes.append(node)

    def constant(self, values: Sequence[int]) -> str:
        """Name of an int64 vector."""
        name = self._name()
        self._constants.append(numpy_helper.from_array(np.array(values, np.int64), name))
        return name

    def sizes(self, vector: str, positions: Iterable[int]) -> list[str]:
        """Names of members of a vector of whole numbers, each as int64 [1]."""
        numbers = self._node("Cast", [vector], to=TensorProto.INT64)
        return [self._node("Gather", [numbers, self.constant([position])], axis=0) for position in positions]

    def concatenate(self, members: Sequence[str], output: str) -> None:
        """Puts what :meth:`sizes` gave together as one vector."""
        self._nodes.append(helper.make_node("Concat", members, [output], axis=0))

    def model(self, outputs: Mapping[str, Sequence[str]]) -> onnx.ModelProto:
        """All that the outputs need, each a vector of members, and nothing else."""
        for name, members in outputs.items():
            self.concatenate(members, name)
        needed, nodes = set(outputs), []
        for node in reversed(self._nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                nodes.insert(0, node)
        graph = helper.make_graph(
            nodes,
            "geometry",
            [helper.make_tensor_value_info(SHAPE, TensorProto.INT64, [3])],
            [helper.make_tensor_value_info(name, TensorProto.INT64, [len(outputs[name])]) for name in outputs],
            [constant for constant in self._constants if constant.name in needed],
        )
        opsets, ir_version = self._preprocess.opset_import, self._preprocess.ir_version
        return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version)

    def _node(self, operation: str, inputs: Sequence[str], **attributes: int) -> str:
        name = self._name()
        self._nodes.append(helper.make_node(operation, inputs, [name], **attributes))
        return name

    def _name(self) -> str:
        return f"{PREFIX}{len(self._nodes)}/{len(self._constants)}"
