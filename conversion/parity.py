"""Holds one set of answers against another: the converted model's against TensorFlow's, int8's against float's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.cut import DecodeOp
from conversion.errors import ConversionError
from conversion.golden import Golden, decode
from conversion.onnx_export import IMAGE, PIXELS
from conversion.photo import ImageOf, Photo
from conversion.progress import say

TOP = 5
"""Classes that have to agree."""
SMALLEST = np.finfo(np.float32).tiny
UNLIKELY = 1e-30
"""Probabilities below it count as equal: near float32's end, one softmax gives zero where another does not."""
IDENTITIES = frozenset({"Identity", "IdentityN"})

Rows = NDArray[np.float32]


@dataclass(frozen=True)
class Limits:
    """How far answers may be apart."""

    relative: float = 1e-3
    """Largest difference, as a share of the largest value. Float32 leaves about 1e-6; a wrong mean gives over 1e-2."""
    top5: int = TOP
    """How many of the five best classes must be the same; five: in the same order, but for equals."""


@dataclass(frozen=True)
class ParityOutput:
    """An output to compare."""

    key: str
    onnx: str
    softmax: bool
    """Whether to compare what feeds the softmax that ends it, as far as probabilities tell it."""


@dataclass(frozen=True)
class Comparison:
    """One output for one photo."""

    photo: str
    output: str
    difference: float
    """As a share of the largest value."""
    top5: int | None
    """How many of the five best classes are the same; None where there are not so many."""
    ordered: bool
    """Whether they are in the same order, but for equals."""

    def within(self, limits: Limits) -> bool:
        """Whether it keeps the limits; what is not a number never does."""
        same = self.top5 is None or (self.top5 >= limits.top5 and (limits.top5 < TOP or self.ordered))
        return same and self.difference <= limits.relative


def ends_in_softmax(graph_def: GraphDef, tensor: str) -> bool:
    """Whether a softmax gives the tensor."""
    nodes = {node.name: node for node in graph_def.node}
    name, _, port = tensor.partition(":")
    node = nodes[name]
    while node.op in IDENTITIES:
        name, _, port = node.input[int(port or 0) if node.op == "IdentityN" else 0].partition(":")
        node = nodes[name]
    return node.op == "Softmax"


def preprocessed(preprocess: Path, op: DecodeOp) -> ImageOf:
    """What onnxruntime makes of the pixels that TensorFlow decodes."""
    run_preprocess = session(preprocess)

    def image_of(photo: Photo) -> NDArray[Any]:
        image: NDArray[Any] = run_preprocess.run([IMAGE], {PIXELS: decode(op, photo.jpeg)})[0]
        return image

    return image_of


def answers(
    image_of: ImageOf, model: onnxruntime.InferenceSession, outputs: Sequence[ParityOutput], photos: Sequence[Photo]
) -> list[Golden]:
    """What onnxruntime answers to each photo by itself."""
    rows = []
    for photo in photos:
        values = model.run([output.onnx for output in outputs], {IMAGE: image_of(photo)[np.newaxis]})
        rows.append(Golden(photo, {output.key: value for output, value in zip(outputs, values, strict=True)}))
    return rows


def session(file: Path, options: onnxruntime.SessionOptions | None = None) -> onnxruntime.InferenceSession:
    """A model of onnxruntime, on the CPU."""
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def compare(outputs: Sequence[ParityOutput], expected: Sequence[Golden], actual: Sequence[Golden]) -> list[Comparison]:
    """Every output for every photo. The largest value is that of all photos: one may leave an output near zero."""
    comparisons = []
    for output in outputs:
        values = [_comparable(output, golden.rows[output.key]) for golden in expected]
        largest = max(SMALLEST, *(float(np.abs(value).max(initial=0)) for value in values))
        for golden, other, value in zip(expected, actual, values, strict=True):
            row, other_row = golden.rows[output.key], other.rows[output.key]
            difference = float("inf")
            if row.shape == other_row.shape and np.isfinite(other_row).all():
                difference = float(np.abs(value - _comparable(output, other_row)).max(initial=0)) / largest
            comparisons.append(Comparison(golden.photo.name, output.key, difference, *_best(row, other_row)))
    return comparisons


def require(comparisons: Sequence[Comparison], limits: Limits, failure: Callable[[str], ConversionError]) -> float:
    """Prints the comparisons as a table; returns the largest difference.

    Raises:
        ConversionError: what ``failure`` makes of the reason, when one is over the limits.
    """
    for line in _table(comparisons, limits):
        say(f"  {line.rstrip()}")
    over = [comparison for comparison in comparisons if not comparison.within(limits)]
    if not over:
        return max(comparison.difference for comparison in comparisons)
    worst = max(over, key=lambda comparison: comparison.difference)
    best = "" if worst.top5 is None else f", and {_agreement(worst)} best classes agree"
    raise failure(
        f"{len(over)} of {len(comparisons)} comparisons are over the limits of {limits.relative:g} and {limits.top5} of"
        f" {TOP} classes; output '{worst.output}' for {worst.photo} differs by {worst.difference:.3g} of the largest"
        f" value{best}"
    )


def _comparable(output: ParityOutput, row: Rows) -> Rows:
    if not output.softmax:
        return row
    # log(softmax(x)) is x up to a constant of the row, which is taken out.
    logits = np.log(np.maximum(row, UNLIKELY))
    return logits - logits.mean(-1, keepdims=True)


def _best(expected: Rows, actual: Rows) -> tuple[int | None, bool]:
    if expected.ndim != 2 or expected.shape != actual.shape or expected.shape[1] <= TOP:
        return None, True
    by_expected, by_actual = (np.argsort(-row[0], kind="stable")[:TOP] for row in (expected, actual))
    # Classes that are as good as equal may change places.
    if np.allclose(expected[0][by_expected], expected[0][by_actual], rtol=Limits.relative, atol=0):
        return TOP, True
    return len(set(by_expected) & set(by_actual)), False


def _table(comparisons: Sequence[Comparison], limits: Limits) -> Iterator[str]:
    photo, output = (max(len(getattr(row, name)) for row in comparisons) for name in ("photo", "output"))
    yield f"{'photo':<{photo}}  {'output':<{output}}  difference  top-5"
    for comparison in comparisons:
        mark = "" if comparison.within(limits) else "  over the limit"
        yield (
            f"{comparison.photo:<{photo}}  {comparison.output:<{output}}  {comparison.difference:>10.2g}  "
            f"{_agreement(comparison):<4}{mark}"
        )


def _agreement(comparison: Comparison) -> str:
    if comparison.top5 is None:
        return "–"
    reordered = comparison.top5 == TOP and not comparison.ordered
    return f"{comparison.top5}/{TOP}{' reordered' if reordered else ''}"
