"""Why TensorFlow does not load a SavedModel, and whether its variables are those of its graph."""

import re
from collections.abc import Iterator
from itertools import pairwise

import tensorflow as tf

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


def check_variables(session: tf.compat.v1.Session) -> None:
    """Makes sure that variables have the shapes that the graph wants: TensorFlow 2 gives them whatever was saved.

    Raises:
        ConversionError: one has another.
    """
    handles = [op for op in session.graph.get_operations() if op.type == "VarHandleOp"]
    initialised = session.run([tf.raw_ops.VarIsInitializedOp(resource=op.outputs[0]) for op in handles])
    handles = [op for op, known in zip(handles, initialised, strict=True) if known]
    shapes = session.run([tf.raw_ops.VariableShape(input=op.outputs[0]) for op in handles])
    for handle, actual in zip(handles, shapes, strict=True):
        wanted = tf.TensorShape(handle.get_attr("shape"))
        if not wanted.is_compatible_with(actual.tolist()):
            raise _mismatch(f"{handle.name} has the shape {actual.tolist()} and not {wanted.as_list()}")


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
