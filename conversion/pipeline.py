"""The conversion from end to end."""

import gc
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.core.framework.types_pb2 import DataType

from conversion import golden, manifest, parity
from conversion.batches import check_batches
from conversion.cut import DCT_METHOD, find_cut
from conversion.errors import ConversionError
from conversion.freeze import freeze
from conversion.generated_photos import generated_photos
from conversion.load import ENCODED, Selection, select, serving_session
from conversion.loops import with_element_shapes
from conversion.onnx_export import IMAGE, PIXELS, Part, export
from conversion.photo import ImageOf, Photo
from conversion.progress import phase, say
from conversion.quantization import Quantization, read_calibration, require_known_range
from conversion.sampler import sampling_of
from conversion.tensors import in_other_range, tensor_of, with_tensors
from conversion.weights import WeightFile

PREPROCESS = "preprocess.onnx"
MODEL = "model.onnx"
FLOAT_LIMITS = parity.Limits()


@dataclass(frozen=True)
class ConversionRequest:
    """What is to be converted, and how."""

    saved_model: Path
    photos: Path
    """Directory of JPEGs to hold the result against."""
    signature: str
    input: str
    """Signature key or tensor name."""
    outputs: Sequence[str]
    """Signature keys or tensor names."""
    limits: parity.Limits = FLOAT_LIMITS
    """How far the result may be from TensorFlow's answers."""
    quantization: Quantization | None = None
    """How to make int8; None leaves float."""


def convert(request: ConversionRequest, out: Path, scratch: Path) -> str:
    """Converts into the directory ``out``; returns the digest of the result's manifest.

    ``scratch`` is an empty directory for what is not part of the result.

    Raises:
        ConversionError: the model or what is asked of it is not supported, or the result does not agree with it.
    """
    tf.get_logger().setLevel("ERROR")
    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.MANIFEST).unlink(missing_ok=True)
    selection = select(request.saved_model, request.signature, request.input, request.outputs)
    names = {output.tensor: output.key for output in selection.outputs}
    photos, generated = golden.read_photos(request.photos), list(generated_photos())
    quantization = request.quantization
    if quantization:
        require_known_range(selection.input)
    calibration = read_calibration(quantization.calibration, photos) if quantization else []
    other_range: list[Photo] = []
    if selection.input.dtype == ENCODED:
        golden.check_colours(photos)
    else:
        photos, generated, calibration = (
            with_tensors(each, selection.input) for each in (photos, generated, calibration)
        )
        other_range = in_other_range(generated)
    labels = manifest.copy_labels(request.saved_model, out, selection.outputs)

    weights = WeightFile(scratch / "weights")
    with serving_session(request.saved_model) as session, ThreadPoolExecutor(1) as scoring:
        # TensorFlow takes as long to get ready for its first photo as Python takes to freeze the graph.
        answers = scoring.submit(golden.score, session, selection, photos)
        phase("freeze", "variables become constants")
        graph = with_element_shapes(freeze(session, [selection.input.tensor], list(names), weights))
        phase("golden", f"TensorFlow's answers to {len(photos)} photos, and to generated ones")
        goldens = answers.result()
        expected = [
            [*goldens, *golden.score_willing(session, selection, generated)],
            golden.score_willing(session, selection, other_range),
        ]

    gc.collect()  # TensorFlow's graphs refer to themselves, and hold the weights
    if selection.input.dtype == ENCODED:
        image_of, front = _export_encoded(selection, graph, names, weights, photos, out)
    else:
        image_of, front = _export_tensors(selection, graph, names, weights, out), {}

    phase("check", "the converted model against TensorFlow's answers")
    outputs = _outputs_to_compare(graph, selection, names)
    difference = _check(image_of, out / MODEL, outputs, expected, request.limits)

    tolerances: dict[str, float] = {}
    if quantization:
        phase("quantize", f"int8, calibrated on {len(calibration)} photos")
        tolerances = _make_int8(quantization, calibration, image_of, out / MODEL, scratch / MODEL, outputs, goldens)

    phase("write", f"the largest difference is {difference:.2g} of the largest value")
    parts: dict[str, Any] = {
        **manifest.describe_selection(selection, names, tolerances),
        **front,
        "model": manifest.describe_model(out / MODEL),
        "goldens": manifest.write_goldens(out, goldens),
    }
    if labels:
        parts["labels"] = labels
    return manifest.write_manifest(out, parts)


def _export_encoded(
    selection: Selection,
    graph: GraphDef,
    names: Mapping[str, str],
    weights: WeightFile,
    photos: Sequence[Photo],
    out: Path,
) -> tuple[ImageOf, dict[str, Any]]:
    """Writes the graphs of a model that takes JPEGs.

    Returns what becomes of a photo on its way to the network, and the manifest's parts about that.
    """
    cut = find_cut(graph, selection.input.tensor, list(names))
    golden.check_decoding(cut.decode, photos)
    phase("convert", f"{cut.decode.type} → {cut.images} → {', '.join(names.values())}")
    preprocessing = Part(cut.preprocessing, cut.pixels, PIXELS, tf.uint8, (None, None, 3), {cut.image: IMAGE})
    export(preprocessing, weights, out / PREPROCESS)
    network = Part(graph, cut.images, IMAGE, cut.images_dtype, cut.images_shape, names)
    export(network, weights, out / MODEL)
    front: dict[str, Any] = {
        "decode": {"op": cut.decode.type, "channels": 3, "dctMethod": DCT_METHOD},
        "preprocess": manifest.describe_preprocess(out / PREPROCESS),
    }
    if sampling := sampling_of(out / PREPROCESS):
        front["preprocess"]["sampling"] = manifest.write_sampling(out, sampling)
    return parity.preprocessed(out / PREPROCESS, cut.decode), front


def _export_tensors(
    selection: Selection,
    graph: GraphDef,
    names: Mapping[str, str],
    weights: WeightFile,
    out: Path,
) -> ImageOf:
    """The same for a model that takes tensors: all of it is the network, and the manifest has no more parts."""
    source = selection.input
    phase("convert", f"{source.tensor} ({source.dtype}) → {', '.join(names.values())}")
    dtype = tf.as_dtype(DataType.Value(source.dtype))
    network = Part(graph, source.tensor, IMAGE, dtype, (None, *source.shape[1:]), names)
    export(network, weights, out / MODEL)
    return tensor_of


def _check(
    image_of: ImageOf,
    model: Path,
    outputs: Sequence[parity.ParityOutput],
    expected: Sequence[Sequence[golden.Golden]],
    limits: parity.Limits,
) -> float:
    """Holds the network against TensorFlow's answers, of which each sequence is compared by itself: what differs in the
    smaller values of one would be lost beside the larger ones of another. Returns the largest difference."""
    network = parity.session(model)
    comparisons: list[parity.Comparison] = []
    for answers in filter(None, expected):
        actual = parity.answers(image_of, network, outputs, [answer.photo for answer in answers])
        comparisons += parity.compare(outputs, answers, actual)
    difference = parity.require(comparisons, limits, _parity_failed)
    check_batches(image_of, network, outputs, expected[0], limits)
    return difference


def _make_int8(
    quantization: Quantization,
    calibration: Sequence[Photo],
    image_of: ImageOf,
    model: Path,
    int8: Path,
    outputs: Sequence[parity.ParityOutput],
    goldens: Sequence[golden.Golden],
) -> dict[str, float]:
    """Puts an int8 network in place of the float one; returns how far each output may be from TensorFlow's answer."""
    # onnxruntime's quantiser takes long to import, and few need it.
    from conversion.quantize import has_vnni, measure_speed, quantize

    quantize(image_of, model, calibration, int8)
    # What leaves a softmax is what counts here: int8 moves the logits of classes that nobody asks for.
    outputs = [replace(output, softmax=False) for output in outputs]
    photos = [golden.photo for golden in goldens]
    before, after = (parity.answers(image_of, parity.session(file), outputs, photos) for file in (model, int8))
    parity.require(parity.compare(outputs, before, after), quantization.limits, _int8_parity_failed)
    speed = measure_speed(model, int8)
    say(
        f"int8 takes {speed.after:.1f} ms for an image on one thread and float {speed.before:.1f} ms: "
        f"{speed.speedup:.2f} times as fast{'' if has_vnni() else ', on a CPU without VNNI'}"
    )
    shutil.move(int8, model)
    return {
        output.key: quantization.limits.relative * max(float(np.abs(row.rows[output.key]).max()) for row in before)
        for output in outputs
    }


def _outputs_to_compare(graph: GraphDef, selection: Selection, names: Mapping[str, str]) -> list[parity.ParityOutput]:
    return [
        parity.ParityOutput(output.key, names[output.tensor], parity.ends_in_softmax(graph, output.tensor))
        for output in selection.outputs
    ]


def _parity_failed(reason: str) -> ConversionError:
    return ConversionError(
        "ParityFailed",
        f"the converted model does not agree with TensorFlow: {reason}",
        "the graph holds something that is converted wrongly: report it with the model; or, if so much does not matter,"
        " raise conversion.parity",
    )


def _int8_parity_failed(reason: str) -> ConversionError:
    return ConversionError(
        "QuantizationParityFailed",
        f"the int8 model does not agree with the float model: {reason}",
        "calibrate on more photos that are like those to be scored, or leave conversion.quantize out; or, if so much"
        " does not matter, raise conversion.quantize.parity",
    )
