"""Finds what a loop over images (``tf.map_fn``) does with one image.

TensorFlow 2 keeps a loop as one op with its body as a function; TensorFlow 1 spreads it over the graph, between ops
that enter and leave a frame.
"""

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.python.framework.function_def_to_graph import function_def_to_graph

from conversion.errors import ConversionError
from conversion.freeze import inline_functions
from conversion.weights import MARK

LOOPS = frozenset({"While", "StatelessWhile"})
IDENTITIES = frozenset({"EnsureShape", "Identity", "Snapshot", "StopGradient"})
GATHER = "TensorArrayGatherV3"
WRITE = "TensorArrayWriteV3"
ENTER = "Enter"
CONSTANT_ATTRIBUTES = {"dtype", "value", "shape", MARK}


def element_of_loop(graph_def: GraphDef, images: tf.Tensor) -> tuple[GraphDef, str] | None:
    """A graph with the body of the loop that makes ``images``, and in it the tensor that is one image.

    None when no loop makes them.
    """
    stack = _behind_identities(images).op
    if stack.type == GATHER:
        return _frame_body(graph_def), _write_of(stack).inputs[2].name
    if stack.type != "TensorListStack":
        return None
    result = _behind_identities(stack.inputs[0])
    return _function_body(graph_def, result) if result.op.type in LOOPS else None


def with_element_shapes(graph_def: GraphDef) -> GraphDef:
    """The graph with the shapes that TensorFlow 1 knows for the results of its loops but does not write down."""
    gathers = {node.name for node in graph_def.node if node.op == GATHER}
    if not gathers:
        return graph_def
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        for gather in map(graph.get_operation_by_name, gathers):
            tf.ensure_shape(gather.outputs[0], [None, *_write_of(gather).inputs[2].shape], f"{gather.name}/shaped")
    shaped = graph.as_graph_def()
    for node in shaped.node:
        if node.op != "EnsureShape":
            node.input[:] = [f"{name}/shaped" if name in gathers else name for name in node.input]
    return shaped


def _function_body(graph_def: GraphDef, result: tf.Tensor) -> tuple[GraphDef, str]:
    """For a loop that is one op, whose output ``result`` is the list of images."""
    loop = result.op
    name = loop.get_attr("body").name
    with loop.graph.as_default():  # which knows the functions that the body calls
        body = function_def_to_graph(next(item for item in graph_def.library.function if item.signature.name == name))
    accumulator = _behind_identities(body.outputs[result.value_index]).op
    if accumulator.type != "TensorListSetItem":
        raise ConversionError(
            "UnsupportedPreprocessing",
            f"the loop over the images fills its list by {accumulator.type}",
            "use tf.map_fn",
        )
    image = accumulator.inputs[2].name
    body_def = body.as_graph_def(add_shapes=True)
    body_def.library.CopyFrom(graph_def.library)
    _bind_constants(body_def, loop, body)
    return inline_functions(body_def, [], [image]), image


def _bind_constants(body_def: GraphDef, loop: tf.Operation, body: tf.Graph) -> None:
    """Puts constants that the loop hands on unchanged (a captured mean, for example) into its body."""
    nodes = {node.name: node for node in body_def.node}
    for outer, inner, result in zip(loop.inputs, body.inputs, body.outputs, strict=True):
        constant = _behind_identities(outer).op
        if (constant.type == "Const" or MARK in constant.node_def.attr) and _behind_identities(result) is inner:
            node = nodes[inner.op.name]
            node.Clear()
            node.name, node.op = inner.op.name, constant.type
            for attribute in CONSTANT_ATTRIBUTES & constant.node_def.attr.keys():
                node.attr[attribute].CopyFrom(constant.node_def.attr[attribute])


def _frame_body(graph_def: GraphDef) -> GraphDef:
    """For a loop that is spread over the graph: the same graph without frames.

    It cannot run as a whole, but the part of it that handles one image can: it holds no op of the loop itself.
    """
    flat = GraphDef()
    flat.CopyFrom(graph_def)
    for node in flat.node:
        # Constants inside a frame wait for the iteration; outside there is none.
        node.input[:] = [name for name in node.input if not name.startswith("^")]
        if node.op == ENTER:
            node.op = "Identity"
            for attribute in ("frame_name", "is_constant", "parallel_iterations"):
                node.attr.pop(attribute, None)
    return flat


def _write_of(gather: tf.Operation) -> tf.Operation:
    """The op that writes the elements of the array which ``gather`` reads."""
    array = gather.inputs[0].op
    for op in gather.graph.get_operations():
        if op.type == WRITE and _behind_identities(op.inputs[0], ENTER).op is array:
            return op
    raise ConversionError(
        "UnsupportedPreprocessing", f"nothing writes to the array that '{gather.name}' reads", "use tf.map_fn"
    )


def _behind_identities(tensor: tf.Tensor, *others: str) -> tf.Tensor:
    while tensor.op.type in IDENTITIES or tensor.op.type in others:
        tensor = tensor.op.inputs[0]
    return tensor
