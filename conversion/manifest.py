"""The files of a converted model beside its ONNX graphs, and the manifest that describes them (converted-model/1)."""

import hashlib
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import onnx
import onnxruntime
import tensorflow
import tf2onnx

from conversion.errors import ConversionError
from conversion.golden import Golden
from conversion.load import Selection, SignatureTensor
from conversion.photo import Photo
from conversion.sampling import Sampling

MANIFEST = "manifest.json"
GEOMETRY = "geometry.onnx"
FORMAT = "slipway.converted-model/1"
LABELS = Path("assets.extra") / "labels.txt"
TOOLS = (numpy, onnx, onnxruntime, tensorflow, tf2onnx)


def file_digest(file: Path) -> str:
    """``sha256:`` and 64 hexadecimal digits."""
    return f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"


def write_goldens(out: Path, goldens: Sequence[Golden]) -> list[dict[str, Any]]:
    """Writes photos and rows under ``goldens/``; returns the manifest's part about them."""
    (out / "goldens").mkdir(exist_ok=True)
    return [_write_golden(out, golden) for golden in goldens]


def _write_golden(out: Path, golden: Golden) -> dict[str, Any]:
    digest = golden.photo.digest
    outputs = {}
    for key, row in golden.rows.items():
        file = f"goldens/{digest}.{re.sub('[^A-Za-z0-9_-]', '_', key)}.f32"
        (out / file).write_bytes(row.tobytes())
        outputs[key] = {"file": file, "sha256": file_digest(out / file), "shape": list(row.shape)}
    return _write_photo(out, golden.photo) | {"outputs": outputs}


def _write_photo(out: Path, photo: Photo) -> dict[str, Any]:
    """What the model is given for the photo: the JPEG itself, or a row of its input as little-endian bytes."""
    digest = f"sha256:{photo.digest}"
    if photo.tensor is None:
        file = f"goldens/{photo.digest}.jpg"
        (out / file).write_bytes(photo.jpeg)
        return {"sha256": digest, "photo": file}
    file = f"goldens/{photo.digest}.row"
    (out / file).write_bytes(photo.tensor.astype(photo.tensor.dtype.newbyteorder("<")).tobytes())
    shape = list(photo.tensor.shape)
    return {"sha256": file_digest(out / file), "photo": file, "shape": shape, "madeFrom": digest}


def copy_labels(saved_model: Path, out: Path, outputs: Sequence[SignatureTensor]) -> dict[str, Any] | None:
    """Copies the model's labels, when it has any; returns the manifest's part about them.

    Raises:
        ConversionError: no output has as many classes as there are labels.
    """
    source = saved_model / LABELS
    if not source.is_file():
        return None
    labels = source.read_text(encoding="utf-8").splitlines()
    sizes = {output.key: output.shape[-1] for output in outputs if output.shape}
    if not any(size in (-1, len(labels)) for size in sizes.values()):
        raise ConversionError(
            "LabelsMismatch",
            f"{LABELS} has {len(labels)} lines, and the last dimensions of the outputs are {sizes}",
            "give one label for each class, one a line",
        )
    shutil.copyfile(source, out / "labels.txt")
    return {"file": "labels.txt", "sha256": file_digest(out / "labels.txt")}


def describe_model(file: Path) -> dict[str, Any]:
    """The manifest's part about the network."""
    model = onnx.load(file)
    return {
        "file": file.name,
        "sha256": file_digest(file),
        "input": model.graph.input[0].name,
        "opset": model.opset_import[0].version,
        "irVersion": model.ir_version,
    }


def describe_preprocess(file: Path) -> dict[str, Any]:
    """The manifest's part about the preprocessing."""
    model = onnx.load(file)
    return {
        "file": file.name,
        "sha256": file_digest(file),
        "input": model.graph.input[0].name,
        "output": model.graph.output[0].name,
    }


def write_sampling(out: Path, sampling: Sampling) -> dict[str, Any]:
    """Writes the graph that computes sizes; returns the manifest's part about how images are sampled."""
    (out / GEOMETRY).write_bytes(sampling.geometry.SerializeToString(deterministic=True))
    return {
        "geometry": {"file": GEOMETRY, "sha256": file_digest(out / GEOMETRY)},
        "coordinates": sampling.coordinates,
        "size": list(sampling.size),
        "channels": list(sampling.channels),
        "scale": list(sampling.scale),
        "offset": list(sampling.offset),
    }


def describe_selection(
    selection: Selection, names: Mapping[str, str], tolerances: Mapping[str, float]
) -> dict[str, Any]:
    """The manifest's part about the source.

    ``names`` maps tensors to their names in the ONNX graph; ``tolerances`` maps outputs to how far they may be from the
    goldens, where that is more than rounding.
    """
    outputs = []
    for output in selection.outputs:
        tolerance = {"tolerance": tolerances[output.key]} if output.key in tolerances else {}
        outputs.append(_describe_tensor(output) | {"onnx": names[output.tensor]} | tolerance)
    return {
        "source": {"signature": selection.signature},
        "inputs": [_describe_tensor(selection.input)],
        "outputs": outputs,
    }


def _describe_tensor(tensor: SignatureTensor) -> dict[str, Any]:
    return {"name": tensor.key, "tensor": tensor.tensor, "dtype": tensor.dtype, "shape": list(tensor.shape)}


def write_manifest(out: Path, parts: dict[str, Any]) -> str:
    """Writes ``manifest.json``, whose presence marks a complete result; returns its digest."""
    content = {"format": FORMAT, "tools": {tool.__name__: tool.__version__ for tool in TOOLS}} | parts
    partial = out / f"{MANIFEST}.partial"
    partial.write_text(json.dumps(content, sort_keys=True, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.rename(out / MANIFEST)
    return file_digest(out / MANIFEST)
