"""Holds the converted model against TensorFlow's answers, on pixels that TensorFlow decoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.cut import DecodeOp
from conversion.errors import ConversionError
from conversion.golden import Golden, decode
from conversion.onnx_export import IMAGE, PIXELS

RELATIVE_LIMIT = 1e-3
"""Of the largest logit. Float32 leaves about 4e-6 on equal pixels; a wrong mean or channel order gives over 1e-2."""
ABSOLUTE_LIMIT = 1e-4
"""For outputs that no softmax ends, times their largest value where that is above 1."""
TOP = 5
SMALLEST = np.finfo(np.float32).tiny
IDENTITIES = frozenset({"Identity", "IdentityN"})


@dataclass(frozen=True)
class ParityOutput:
    """An output to compare."""

    key: str
    onnx: str
    softmax: bool
    """Whether a softmax ends it: then logits are compared, as far as probabilities tell them."""


def ends_in_softmax(graph_def: GraphDef, tensor: str) -> bool:
    """Whether a softmax gives the tensor."""
    nodes = {node.name: node for node in graph_def.node}
    name, _, port = tensor.partition(":")
    node = nodes[name]
    while node.op in IDENTITIES:
        name, _, port = node.input[int(port or 0) if node.op == "IdentityN" else 0].partition(":")
        node = nodes[name]
    return node.op == "Softmax"


def check_parity(
    preprocess: Path, model: Path, outputs: Sequence[ParityOutput], op: DecodeOp, goldens: Sequence[Golden]
) -> float:
    """The largest difference, as a share of its limit (at most 1).

    Raises:
        ConversionError: an output differs by more than its limit, or its best classes are others.
    """
    run_preprocess, run_model = _session(preprocess), _session(model)
    worst = 0.0
    for golden in goldens:
        pixels = decode(op, golden.photo.jpeg)
        (image,) = run_preprocess.run([IMAGE], {PIXELS: pixels})
        answers = run_model.run([output.onnx for output in outputs], {IMAGE: image[np.newaxis]})
        for output, answer in zip(outputs, answers, strict=True):
            share = _difference(output, golden.rows[output.key], answer)
            if share > 1:
                raise _failed(output, golden, f"it differs by {share:.3g} times the limit")
            if not _same_best(golden.rows[output.key], answer):
                raise _failed(output, golden, f"the {TOP} best classes differ")
            worst = max(worst, share)
    return worst


def _session(file: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])


def _difference(output: ParityOutput, expected: NDArray[np.float32], actual: NDArray[np.float32]) -> float:
    if expected.shape != actual.shape or not np.isfinite(actual).all():
        return float("inf")
    if output.softmax:
        # log(softmax(x)) is x up to a constant of the row.
        expected, actual = (np.log(np.maximum(values, SMALLEST)) for values in (expected, actual))
        limit = RELATIVE_LIMIT * np.abs(expected).max()
    else:
        limit = ABSOLUTE_LIMIT * max(1.0, np.abs(expected).max(initial=0))
    return float(np.abs(expected - actual).max(initial=0) / limit)


def _same_best(expected: NDArray[np.float32], actual: NDArray[np.float32]) -> bool:
    """Classes that are as good as equal may change places."""
    if expected.ndim != 2 or expected.shape[1] <= TOP:
        return True
    by_expected, by_actual = (np.argsort(-row[0], kind="stable")[:TOP] for row in (expected, actual))
    return np.allclose(expected[0][by_expected], expected[0][by_actual], rtol=RELATIVE_LIMIT, atol=0)


def _failed(output: ParityOutput, golden: Golden, reason: str) -> ConversionError:
    return ConversionError(
        "ParityFailed",
        f"output '{output.key}' of the converted model does not agree with TensorFlow on {golden.photo.name}: {reason}",
        "the graph holds something that is converted wrongly; please report it with the model",
    )
