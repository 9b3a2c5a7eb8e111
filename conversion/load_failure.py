"""Why TensorFlow does not load a SavedModel, and whether its variables are those of its graph."""

import re
from collections.abc import Iterator
from itertools import pairwise

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.errors import ConversionError

DAMAGED = (tf.errors.DataLossError, tf.errors.OutOfRangeError)
MISSING_KEY = re.compile(r"Key (?!_CHECKPOINTABLE)(\S+) not found in checkpoint")
OTHER_SHAPE = re.compile(r"Assign requires shapes of both tensors to match.*")
UNKNOWN_OP = re.compile(r"Op type not registered '(\w+)'")


def reason_of(error: tf.errors.OpError) -> str:
    """The line that says what went wrong, of all that TensorFlow says about where."""
    lines: list[str] = error.message.splitlines()
    for line, following in pairwise(lines):
        if following.lstrip().startswith("[[{{"):
            return line
    return lines[0] if lines else type(error).__name__


def load_failure(error: Exception) -> ConversionError:
    """What an error of the loader means. It tries one way after another: the first error says why."""
    errors = list(_with_causes(error))
    for each in errors:
        if isinstance(each, DAMAGED):
            return ConversionError(
                "WeightsDamaged",
                f"the variables of the SavedModel cannot be read: {reason_of(each)}",
                "export or copy the model again",
            )
    told = "\n".join(map(str, errors))
    if key := MISSING_KEY.search(told):
        return _mismatch(f"they have no {key[1]}")
    if shape := OTHER_SHAPE.search(told):
        return _mismatch(shape[0])
    if op := UNKNOWN_OP.search(told):
        return ConversionError(
            "UnsupportedOperation",
            f"the SavedModel has the op {op[1]}, which is not one of TensorFlow's own",
            "replace this op in the exported model",
        )
    return ConversionError(
        "ModelNotLoadable",
        f"TensorFlow could not load the SavedModel: {error}",
        "check it with TensorFlow Serving",
    )


def check_variables(graph_def: GraphDef, frozen: GraphDef) -> None:
    """Makes sure that the variables that are constants now have the shapes that the graph wanted of them: TensorFlow 2
    gives variables whatever was saved.

    Raises:
        ConversionError: one has another.
    """
    wanted = {
        node.name: tf.TensorShape(node.attr["shape"].shape) for node in graph_def.node if node.op == "VarHandleOp"
    }
    for node in (node for node in frozen.node if node.op == "Const" and node.name in wanted):
        actual = tf.TensorShape(node.attr["value"].tensor.tensor_shape)
        if not wanted[node.name].is_compatible_with(actual):
            raise _mismatch(f"{node.name} has the shape {actual.as_list()} and not {wanted[node.name].as_list()}")


def _mismatch(why: str) -> ConversionError:
    return ConversionError(
        "WeightsMismatch",
        f"the variables of the SavedModel are those of another model: {why}",
        "put the files of variables/ beside the graph that they were saved with",
    )


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__context__
