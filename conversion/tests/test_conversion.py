"""Converting the sample: what comes out, and that a wrong result would be found."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from conversion.cut import DecodeOp
from conversion.errors import ConversionError
from conversion.golden import Golden, decode, read_photos
from conversion.manifest import file_digest
from conversion.parity import ParityOutput, check_parity
from conversion.tests.conftest import Conversion

DECODE = DecodeOp("decode", "DecodeJpeg", "")
OUTPUTS = [ParityOutput("output_alias", "output_alias", softmax=True)]


def goldens_of(conversion: Conversion, photos: Path) -> list[Golden]:
    files = conversion.out / "goldens"
    return [
        Golden(photo, {"output_alias": np.fromfile(files / f"{photo.digest}.output_alias.f32", "<f4").reshape(1, 1000)})
        for photo in read_photos(photos)
    ]


def test_manifest_describes_every_file(conversion: Conversion) -> None:
    manifest = json.loads((conversion.out / "manifest.json").read_text(encoding="utf-8"))
    described = {part["file"]: part["sha256"] for part in (manifest[key] for key in ("model", "preprocess", "labels"))}
    for golden in manifest["goldens"]:
        described[golden["photo"]] = golden["sha256"]
        described |= {output["file"]: output["sha256"] for output in golden["outputs"].values()}
    written = {file.relative_to(conversion.out).as_posix() for file in conversion.out.rglob("*") if file.is_file()}
    assert written == described.keys() | {"manifest.json"}
    assert all(file_digest(conversion.out / file) == digest for file, digest in described.items())
    assert conversion.digest == file_digest(conversion.out / "manifest.json")
    assert manifest["decode"] == {"op": "DecodeJpeg", "channels": 3, "dctMethod": "INTEGER_FAST"}


def test_model_takes_any_number_of_images(conversion: Conversion, photos: Path) -> None:
    preprocess, model = (
        onnxruntime.InferenceSession(conversion.out / f"{name}.onnx") for name in ("preprocess", "model")
    )
    goldens = goldens_of(conversion, photos)
    images = [preprocess.run(None, {"rgb": decode(DECODE, golden.photo.jpeg)})[0] for golden in goldens]
    (together,) = model.run(None, {"image": np.stack(images)})
    np.testing.assert_allclose(together, np.concatenate([golden.rows["output_alias"] for golden in goldens]), atol=1e-5)


def shift_mean(model: onnx.ModelProto) -> None:
    for initializer in model.graph.initializer:
        value = numpy_helper.to_array(initializer)
        if value.size == 1 and value.item() == 127:
            initializer.CopyFrom(numpy_helper.from_array(value - 7, initializer.name))
            return
    raise AssertionError("the mean is not a constant of the graph")


def swap_channels(model: onnx.ModelProto) -> None:
    indices = numpy_helper.from_array(np.array([2, 1, 0]), "bgr")
    model.graph.initializer.append(indices)
    model.graph.node.insert(0, onnx.helper.make_node("Gather", ["rgb", "bgr"], ["swapped"], axis=2))
    for node in list(model.graph.node)[1:]:
        node.input[:] = ["swapped" if name == "rgb" else name for name in node.input]


@pytest.mark.parametrize("spoil", [shift_mean, swap_channels])
def test_wrong_preprocessing_fails_parity(
    conversion: Conversion, photos: Path, tmp_path: Path, spoil: Callable[[onnx.ModelProto], None]
) -> None:
    model = onnx.load(conversion.out / "preprocess.onnx")
    spoil(model)
    onnx.save(model, tmp_path / "preprocess.onnx")
    with pytest.raises(ConversionError) as failure:
        check_parity(
            tmp_path / "preprocess.onnx", conversion.out / "model.onnx", OUTPUTS, DECODE, goldens_of(conversion, photos)
        )
    assert failure.value.code == "ParityFailed"


def test_another_decoding_method_fails_parity(conversion: Conversion, photos: Path) -> None:
    paths = conversion.out / "preprocess.onnx", conversion.out / "model.onnx"
    assert check_parity(*paths, OUTPUTS, DECODE, goldens_of(conversion, photos)) < 0.1
    with pytest.raises(ConversionError, match="output_alias"):
        check_parity(
            *paths, OUTPUTS, DecodeOp("decode", "DecodeJpeg", "INTEGER_ACCURATE"), goldens_of(conversion, photos)
        )
