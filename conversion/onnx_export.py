"""Converts a part of a TensorFlow graph to ONNX in little memory.

tf2onnx's own optimiser copies the graph on every pass (5.9 GB for ResNet-50); onnxruntime's offline optimisation gives
the same nodes, and the weights are not in the graph meanwhile.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.errors import ConversionError
from conversion.weights import WeightFile, weights_of

PIXELS = "rgb"
"""Name of the decoded pixels in the preprocessing graph."""
IMAGE = "image"
"""Name of the preprocessed image, in both graphs."""
SOURCE = "slipway/source:0"
"""Tensor that stands for what a converted part takes."""
OPSET = 18
"""Newest operator set that tf2onnx 1.17 writes."""


@dataclass(frozen=True)
class Part:
    """A part of a graph, and how it is to look in ONNX."""

    graph_def: GraphDef
    source: str
    """Tensor that it takes."""
    source_name: str
    dtype: tf.DType
    shape: tuple[int | None, ...]
    outputs: Mapping[str, str]
    """Tensor → name in the ONNX file."""


def export(part: Part, weights: WeightFile, file: Path) -> None:
    """Writes the part as ``file``.

    Raises:
        ConversionError: an op in it has no ONNX counterpart, or it depends on something else than its source.
    """
    model = _convert(part, weights)
    check(model, file.stem)
    others = [value.name for value in model.graph.input if value.name != part.source_name]
    if others:
        raise ConversionError(
            "UnsupportedGraph",
            f"{file.stem} depends on {', '.join(others)} besides the image",
            "make the network depend on the decoded image only",
        )
    _optimise(model, weights.file.parent, file)


def check(model: onnx.ModelProto, part: str) -> None:
    """Makes sure that onnxruntime can run every node: standard operators only.

    Raises:
        ConversionError: with the names of the ops that are left.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    foreign = {
        f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        for node in _nodes(model.graph)
        if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type, opset)
    }
    if foreign:
        raise ConversionError(
            "UnsupportedOperation",
            f"no ONNX operator of opset {opset} does what {', '.join(sorted(foreign))} does in the {part} graph",
            "replace these ops in the exported model",
        )


def _convert(part: Part, weights: WeightFile) -> onnx.ModelProto:
    names = list(part.outputs)
    graph_def = _between(part)
    placeholders = {f"{node}:0": weight for node, weight in weights_of(graph_def)}
    inputs = [SOURCE, *placeholders]
    with tf.Graph().as_default():
        graph_def = tf2onnx.tf_loader.tf_optimize(inputs, names, graph_def)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        converted = tf2onnx.tfonnx.process_tf_graph(
            graph,
            opset=OPSET,
            input_names=inputs,
            output_names=names,
            tensors_to_rename={SOURCE: part.source_name, **part.outputs},
        )
    model = converted.make_model("slipway")
    weights.attach(model, placeholders)
    return model


def _between(part: Part) -> GraphDef:
    """What the outputs need, with a placeholder instead of the source and nothing before it."""
    with tf.Graph().as_default() as graph:
        placeholder = tf.compat.v1.placeholder(part.dtype, part.shape, SOURCE.removesuffix(":0"))
        between = graph.as_graph_def()
    between.library.CopyFrom(part.graph_def.library)
    replaced = {part.source, part.source.removesuffix(":0")}
    for original in part.graph_def.node:
        node = between.node.add()
        node.CopyFrom(original)
        node.input[:] = [placeholder.op.name if name in replaced else name for name in original.input]
    return tf.compat.v1.graph_util.extract_sub_graph(between, [name.partition(":")[0] for name in part.outputs])


def _optimise(model: onnx.ModelProto, scratch: Path, file: Path) -> None:
    """onnxruntime's own optimisation, offline. The weights stay in files beside the graphs until the end."""
    raw, optimised = scratch / "raw.onnx", scratch / "optimised.onnx"
    raw.write_bytes(model.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(optimised)
    options.log_severity_level = 3
    options.add_session_config_entry("session.optimized_model_external_initializers_file_name", "optimised.weights")
    options.add_session_config_entry("session.disable_prepacking", "1")
    onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    light = onnx.load(optimised, load_external_data=False)
    check(light, file.stem)
    used = [entry for entry in light.opset_import if entry.domain in ("", "ai.onnx")]
    del light.opset_import[:]
    light.opset_import.extend(used)
    onnx.load_external_data_for_model(light, str(scratch))
    file.write_bytes(light.SerializeToString(deterministic=True))


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for subgraph in (attribute.g, *attribute.graphs):
                yield from _nodes(subgraph)
