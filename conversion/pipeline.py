"""The conversion from end to end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion import golden, manifest, onnx_export, parity
from conversion.cut import Cut, find_cut
from conversion.freeze import freeze
from conversion.load import Selection, select, serving_session
from conversion.loops import with_element_shapes
from conversion.progress import phase

PREPROCESS = "preprocess.onnx"
MODEL = "model.onnx"


def convert(
    saved_model: Path, photos: Path, signature: str, input_name: str, output_names: Sequence[str], out: Path
) -> str:
    """Converts ``saved_model`` into the directory ``out``; returns the digest of the result's manifest.

    Raises:
        ConversionError: the model or what is asked of it is not supported, or the result does not agree with it.
    """
    tf.get_logger().setLevel("ERROR")
    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.MANIFEST).unlink(missing_ok=True)
    selection = select(saved_model, signature, input_name, output_names)
    names = {output.tensor: output.key for output in selection.outputs}
    pictures = golden.read_photos(photos)
    labels = manifest.copy_labels(saved_model, out, selection.outputs)

    with serving_session(saved_model) as session:
        phase("golden", f"TensorFlow's answers to {len(pictures)} photos")
        goldens = golden.score(session, selection, pictures)
        phase("freeze", "variables become constants")
        graph = with_element_shapes(freeze(session, [selection.input.tensor], list(names)))

    cut = find_cut(graph, selection.input.tensor, list(names))
    dct_method = golden.dct_method(cut.decode, pictures)
    phase("convert", f"{cut.decode.type} ({dct_method}) → {cut.images} → {', '.join(names.values())}")
    _export(graph, cut, names, out)

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


def _export(graph: GraphDef, cut: Cut, names: Mapping[str, str], out: Path) -> None:
    image = {cut.image: onnx_export.IMAGE}
    onnx_export.export(cut.preprocessing, cut.pixels, image, onnx_export.PIXELS, out / PREPROCESS)
    onnx_export.export(graph, cut.images, names, onnx_export.IMAGE, out / MODEL)


def _outputs_to_compare(graph: GraphDef, selection: Selection, names: Mapping[str, str]) -> list[parity.ParityOutput]:
    return [
        parity.ParityOutput(output.key, names[output.tensor], parity.ends_in_softmax(graph, output.tensor))
        for output in selection.outputs
    ]
