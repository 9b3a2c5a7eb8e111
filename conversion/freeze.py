"""Turns a loaded model into one graph without variables and with every ordinary function inlined."""

from collections.abc import Iterator, Sequence

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.node_def_pb2 import NodeDef
from tensorflow.core.protobuf.config_pb2 import ConfigProto
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef
from tensorflow.core.protobuf.rewriter_config_pb2 import RewriterConfig
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_from_session_graph
from tensorflow.python.grappler import tf_optimizer

from conversion.load_failure import check_variables
from conversion.weights import WeightFile

LOWER_CONTROL_FLOW = "_lower_using_switch_merge"
"""Attribute that makes TensorFlow flatten loops into the graph, where their bodies cannot be told apart any more."""


def freeze(
    session: tf.compat.v1.Session, inputs: Sequence[str], outputs: Sequence[str], weights: WeightFile
) -> GraphDef:
    """The part of the session's graph between the named tensors, with its variables in ``weights``.

    Loops stay functional: each body is a function of the graph's library.

    Raises:
        ConversionError: the variables are those of another model.
    """
    names = [_op(name) for name in outputs]
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(session.graph.as_graph_def(), names)
    _drop_unused_functions(graph_def)
    frozen = convert_variables_to_constants_from_session_graph(session, graph_def, names)
    check_variables(graph_def, frozen)
    for nodes in (frozen.node, *(function.node_def for function in frozen.library.function)):
        for node in nodes:
            node.attr.pop(LOWER_CONTROL_FLOW, None)
    light = weights.detach(frozen)
    del frozen
    return inline_functions(light, inputs, outputs)


def inline_functions(graph_def: GraphDef, inputs: Sequence[str], outputs: Sequence[str]) -> GraphDef:
    """Replaces calls of functions by their bodies; what the outputs do not need goes."""
    meta_graph = MetaGraphDef(graph_def=graph_def)
    meta_graph.collection_def[tf.compat.v1.GraphKeys.TRAIN_OP].node_list.value.extend((*inputs, *outputs))
    config = ConfigProto()
    rewrites = config.graph_options.rewrite_options
    rewrites.min_graph_nodes = -1  # grappler leaves graphs of fewer than four nodes alone otherwise
    rewrites.meta_optimizer_iterations = RewriterConfig.ONE
    rewrites.optimizers.append("function")
    return tf_optimizer.OptimizeGraph(config, meta_graph)


def _drop_unused_functions(graph_def: GraphDef) -> None:
    """A SavedModel holds the functions of every signature and of every way to call a layer."""
    functions = {function.signature.name: function for function in graph_def.library.function}
    used: set[str] = set()
    pending = list(graph_def.node)
    while pending:
        for name in {*_called(pending.pop())} & functions.keys() - used:
            used.add(name)
            pending.extend(functions[name].node_def)
    del graph_def.library.function[:], graph_def.library.gradient[:]
    graph_def.library.function.extend(functions[name] for name in sorted(used))


def _called(node: NodeDef) -> Iterator[str]:
    """Names that may be those of functions."""
    yield node.op
    for value in node.attr.values():
        yield from (function.name for function in (value.func, *value.list.func))


def _op(tensor: str) -> str:
    return tensor.rpartition(":")[0] or tensor
