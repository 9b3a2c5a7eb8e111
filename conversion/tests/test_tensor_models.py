"""Models that take tensors in place of JPEGs."""

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorflow as tf

from conversion.errors import ConversionError
from conversion.generated_photos import generated_photos
from conversion.golden import read_photos
from conversion.load import select, serving_session
from conversion.manifest import file_digest
from conversion.pipeline import ConversionRequest
from conversion.quantization import Quantization
from conversion.tests import toy_models
from conversion.tests.conftest import converted

ROW = [toy_models.SIZE, toy_models.SIZE, 3]
TYPES = {"DT_FLOAT": (tf.float32, "<f4"), "DT_UINT8": (tf.uint8, "u1")}


def request(model: Path, photos: Path, outputs: tuple[str, ...] = ("classes", "features")) -> ConversionRequest:
    return ConversionRequest(model, photos, "serving_default", "pixels", list(outputs))


@pytest.mark.parametrize("save", [toy_models.save_tensors, toy_models.save_tensors_tf1])
@pytest.mark.parametrize("dtype", TYPES)
def test_goldens_are_rows_of_the_input_made_of_the_photos(
    save: Callable[[Path, tf.DType], Path], dtype: str, photos: Path, tmp_path: Path
) -> None:
    kind, stored = TYPES[dtype]
    model, out = save(tmp_path / "model", kind), tmp_path / "out"
    converted(request(model, photos), out)
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest.keys() & {"decode", "preprocess"} == set()
    assert (manifest["inputs"][0]["dtype"], manifest["inputs"][0]["shape"]) == (dtype, [-1, *ROW])
    goldens = manifest["goldens"]
    assert [golden["madeFrom"] for golden in goldens] == [f"sha256:{photo.digest}" for photo in read_photos(photos)]
    assert all(golden["sha256"] == file_digest(out / golden["photo"]) for golden in goldens)
    assert all(golden["shape"] == ROW for golden in goldens)
    rows = np.stack([np.fromfile(out / golden["photo"], stored).reshape(ROW) for golden in goldens])
    assert rows.max() > (128 if dtype == "DT_UINT8" else 0.5)
    assert rows.max() <= (255 if dtype == "DT_UINT8" else 1)
    selection = select(model, "serving_default", "pixels", ["classes"])
    with serving_session(model) as session:
        expected = session.run(selection.outputs[0].tensor, {selection.input.tensor: rows})
    files = [out / golden["outputs"]["classes"]["file"] for golden in goldens]
    np.testing.assert_allclose([np.fromfile(file, "<f4") for file in files], expected, rtol=1e-5)
    (together,) = onnxruntime.InferenceSession(out / "model.onnx").run(["classes"], {"image": rows})
    np.testing.assert_allclose(together, expected, rtol=1e-5)


@pytest.mark.parametrize("shape", [(None, *ROW[:2], 1), (1, *ROW)])
def test_images_may_be_gray_or_come_one_by_one(shape: tuple[int | None, ...], photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_tensors(tmp_path / "model", shape=shape)
    assert converted(request(model, photos), tmp_path / "out").startswith("sha256:")


@pytest.mark.parametrize(
    ("dtype", "shape", "code", "named"),
    [
        (tf.float32, (None, None, None, 3), "DynamicImageSize", "DT_FLOAT [-1, -1, -1, 3]"),
        (tf.uint8, (None, 8, None, 3), "DynamicImageSize", "DT_UINT8 [-1, 8, -1, 3]"),
        (tf.float32, (2, 8, 8, 3), "UnsupportedInput", "DT_FLOAT [2, 8, 8, 3]"),
        (tf.float32, (None, 3, 8, 8), "UnsupportedInput", "DT_FLOAT [-1, 3, 8, 8]"),
        (tf.float32, (None, 192), "UnsupportedInput", "DT_FLOAT [-1, 192]"),
        (tf.int32, (None, 8, 8, 3), "UnsupportedInput", "DT_INT32"),
    ],
)
def test_an_input_that_is_no_batch_of_images_of_one_size_is_named(
    dtype: tf.DType, shape: tuple[int | None, ...], code: str, named: str, photos: Path, tmp_path: Path
) -> None:
    module = tf.Module()
    spec = tf.TensorSpec(shape, dtype, name="pixels")
    serve = tf.function(lambda pixels: {"classes": tf.cast(pixels, tf.float32)}, input_signature=[spec])
    tf.saved_model.save(module, str(tmp_path / "model"), signatures={"serving_default": serve})
    with pytest.raises(ConversionError) as failure:
        converted(request(tmp_path / "model", photos, ("classes",)), tmp_path / "out")
    assert (failure.value.code, named in failure.value.message) == (code, True), failure.value.message


def test_a_float_input_is_compared_in_both_usual_ranges(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for dtype, ranges in ((tf.float32, 1), (tf.uint8, 0)):
        converted(request(toy_models.save_tensors(tmp_path / dtype.name, dtype), photos), tmp_path / "out")
        assert len(re.findall("generated-1 × 255 +classes", capsys.readouterr().out)) == ranges


def test_int8_is_made_of_bytes_and_not_of_floats_of_an_unknown_range(photos: Path, tmp_path: Path) -> None:
    calibration = tmp_path / "calibration"
    calibration.mkdir()
    for photo in generated_photos():
        (calibration / f"{photo.name}.jpg").write_bytes(photo.jpeg)
    quantization = Quantization(calibration)
    of_bytes, of_floats = (
        replace(request(toy_models.save_tensors(tmp_path / dtype.name, dtype), photos), quantization=quantization)
        for dtype in (tf.uint8, tf.float32)
    )
    converted(of_bytes, tmp_path / "out")
    nodes = {node.op_type for node in onnx.load(tmp_path / "out" / "model.onnx").graph.node}
    assert "QuantizeLinear" in nodes
    with pytest.raises(ConversionError, match="'pixels' is DT_FLOAT: calibration needs to know the range") as failure:
        converted(of_floats, tmp_path / "floats")
    assert failure.value.code == "UnsupportedInput"


def test_a_photo_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    broken = b"\xff\xd8\xff\xe0 cut short"
    (tmp_path / "photos" / f"{hashlib.sha256(broken).hexdigest()}.jpg").write_bytes(broken)
    with pytest.raises(ConversionError) as failure:
        converted(request(toy_models.save_tensors(tmp_path / "model"), tmp_path / "photos"), tmp_path / "out")
    assert failure.value.code == "PhotoRefused"
