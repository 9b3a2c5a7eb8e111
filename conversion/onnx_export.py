"""Converts a part of a TensorFlow graph to ONNX in little memory.

tf2onnx's own optimiser copies the graph on every pass (5.9 GB for ResNet-50); onnxruntime's offline optimisation gives
the same nodes in a third of that.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import onnx
import onnxruntime
import tensorflow as tf
import tf2onnx
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.errors import ConversionError

PIXELS = "rgb"
"""Name of the decoded pixels in the preprocessing graph."""
IMAGE = "image"
"""Name of the preprocessed image, in both graphs."""
SOURCE = "slipway/source:0"
"""Tensor that stands for what a converted part takes."""
OPSET = 18
"""Newest operator set that tf2onnx 1.17 writes."""


def export(graph_def: GraphDef, source: str, outputs: Mapping[str, str], source_name: str, file: Path) -> None:
    """Writes what lies between ``source`` and the ``outputs`` (tensor name → name in the ONNX file) as ``file``.

    Raises:
        ConversionError: an op in it has no ONNX counterpart, or it depends on something else than ``source``.
    """
    model = _convert(graph_def, source, outputs, source_name)
    check(model, file.stem)
    inputs = [value.name for value in model.graph.input]
    if inputs != [source_name]:
        raise ConversionError(
            "UnsupportedGraph",
            f"{file.stem} depends on {', '.join(name for name in inputs if name != source_name)} besides the image",
            "make the network depend on the decoded image only",
        )
    _optimise(model, file)


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


def _convert(graph_def: GraphDef, source: str, outputs: Mapping[str, str], source_name: str) -> onnx.ModelProto:
    names = list(outputs)
    part = _between(graph_def, source, names)
    with tf.Graph().as_default():
        part = tf2onnx.tf_loader.tf_optimize([SOURCE], names, part)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(part, name="")
        del part
        converted = tf2onnx.tfonnx.process_tf_graph(
            graph,
            opset=OPSET,
            input_names=[SOURCE],
            output_names=names,
            tensors_to_rename={SOURCE: source_name, **outputs},
        )
    return converted.make_model("slipway")


def _between(graph_def: GraphDef, source: str, outputs: Sequence[str]) -> GraphDef:
    """What the outputs need, with a placeholder instead of ``source`` and nothing before it."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        tensor = graph.get_tensor_by_name(source)
    with tf.Graph().as_default() as graph:
        placeholder = tf.compat.v1.placeholder(tensor.dtype, tensor.shape, SOURCE.removesuffix(":0"))
        part = graph.as_graph_def()
    part.library.CopyFrom(graph_def.library)
    replaced = {source, source.removesuffix(":0")}
    for original in graph_def.node:
        node = part.node.add()
        node.CopyFrom(original)
        node.input[:] = [placeholder.op.name if name in replaced else name for name in original.input]
    return tf.compat.v1.graph_util.extract_sub_graph(part, [name.partition(":")[0] for name in outputs])


def _optimise(model: onnx.ModelProto, file: Path) -> None:
    raw = file.with_suffix(".raw")
    onnx.save(model, raw)
    del model
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(file)
    options.log_severity_level = 3
    onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    raw.unlink()
    _canonicalise(file)


def _canonicalise(file: Path) -> None:
    """Leaves the operator sets that are used, and nothing that differs between equal conversions."""
    model = onnx.load(file)
    check(model, file.stem)
    used = [entry for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    del model.opset_import[:]
    model.opset_import.extend(used)
    file.write_bytes(model.SerializeToString(deterministic=True))


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for subgraph in (attribute.g, *attribute.graphs):
                yield from _nodes(subgraph)
