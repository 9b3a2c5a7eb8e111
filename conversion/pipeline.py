"""The conversion from end to end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion import golden, manifest, parity
from conversion.cut import Cut, find_cut
from conversion.freeze import freeze
from conversion.load import Selection, select, serving_session
from conversion.loops import with_element_shapes
from conversion.onnx_export import IMAGE, PIXELS, Part, export
from conversion.progress import phase
from conversion.weights import WeightFile

PREPROCESS = "preprocess.onnx"
MODEL = "model.onnx"


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


def convert(request: ConversionRequest, out: Path) -> str:
    """Converts into the directory ``out``; returns the digest of the result's manifest.

    Raises:
        ConversionError: the model or what is asked of it is not supported, or the result does not agree with it.
    """
    tf.get_logger().setLevel("ERROR")
    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.MANIFEST).unlink(missing_ok=True)
    with TemporaryDirectory(prefix="slipway-conversion-") as scratch:
        return _convert(request, out, WeightFile(Path(scratch) / "weights"))


def _convert(request: ConversionRequest, out: Path, weights: WeightFile) -> str:
    selection = select(request.saved_model, request.signature, request.input, request.outputs)
    names = {output.tensor: output.key for output in selection.outputs}
    photos = golden.read_photos(request.photos)
    labels = manifest.copy_labels(request.saved_model, out, selection.outputs)

    with serving_session(request.saved_model) as session:
        phase("golden", f"TensorFlow's answers to {len(photos)} photos")
        goldens = golden.score(session, selection, photos)
        phase("freeze", "variables become constants")
        graph = with_element_shapes(freeze(session, [selection.input.tensor], list(names), weights))

    cut = find_cut(graph, selection.input.tensor, list(names))
    dct_method = golden.dct_method(cut.decode, photos)
    phase("convert", f"{cut.decode.type} ({dct_method}) → {cut.images} → {', '.join(names.values())}")
    _export(graph, cut, names, weights, out)

    phase("check", "the converted model against TensorFlow's answers")
    outputs = _outputs_to_compare(graph, selection, names)
    share = parity.check_parity(out / PREPROCESS, out / MODEL, outputs, cut.decode, goldens)

    phase("write", f"the largest difference is {share:.2g} of its limit")
    parts: dict[str, Any] = {
        **manifest.describe_selection(selection, names),
        "decode": {"op": cut.decode.type, "channels": 3, "dctMethod": dct_method},
        "preprocess": manifest.describe_preprocess(out / PREPROCESS),
        "model": manifest.describe_model(out / MODEL),
        "goldens": manifest.write_goldens(out, goldens),
    }
    if labels:
        parts["labels"] = labels
    return manifest.write_manifest(out, parts)


def _export(graph: GraphDef, cut: Cut, names: Mapping[str, str], weights: WeightFile, out: Path) -> None:
    preprocessing = Part(cut.preprocessing, cut.pixels, PIXELS, {cut.image: IMAGE})
    network = Part(graph, cut.images, IMAGE, names)
    export(preprocessing, weights, out / PREPROCESS)
    export(network, weights, out / MODEL)


def _outputs_to_compare(graph: GraphDef, selection: Selection, names: Mapping[str, str]) -> list[parity.ParityOutput]:
    return [
        parity.ParityOutput(output.key, names[output.tensor], parity.ends_in_softmax(graph, output.tensor))
        for output in selection.outputs
    ]
