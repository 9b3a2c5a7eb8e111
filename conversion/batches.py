"""Makes sure that a network may be given several images at once, as the scoring server gives them."""

from collections.abc import Sequence

import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidArgument, RuntimeException

from conversion.errors import ConversionError
from conversion.golden import Golden
from conversion.onnx_export import IMAGE
from conversion.parity import Limits, ParityOutput, compare
from conversion.photo import ImageOf

TOGETHER = 3
"""Images in the batch: more than one, and not a number that something else in a network is likely to have."""


def check_batches(
    image_of: ImageOf,
    model: onnxruntime.InferenceSession,
    outputs: Sequence[ParityOutput],
    alone: Sequence[Golden],
    limits: Limits,
) -> None:
    """Compares the answers to images at once with those to each, ``alone``.

    Raises:
        ConversionError: the network takes one only, or mixes them up.
    """
    answers = [alone[number % len(alone)] for number in range(TOGETHER)]
    images = np.stack([image_of(answer.photo) for answer in answers])
    try:
        values = model.run([output.onnx for output in outputs], {IMAGE: images})
    except (Fail, InvalidArgument, RuntimeException) as error:
        raise _refused(str(error)) from error
    together = [
        Golden(answer.photo, {output.key: value[row : row + 1] for output, value in zip(outputs, values, strict=True)})
        for row, answer in enumerate(answers)
    ]
    for comparison in compare(outputs, answers, together):
        if not comparison.within(limits):
            raise _refused(f"output '{comparison.output}' differs by {comparison.difference:.3g} of the largest value")


def _refused(why: str) -> ConversionError:
    return ConversionError(
        "UnsupportedGraph",
        f"the network does not answer to {TOGETHER} images at once as to each of them: {why}",
        "let nothing in the graph depend on the number of images: -1 in reshapes, no images that know of one another",
    )
