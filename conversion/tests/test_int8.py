"""int8: smaller, faster, held against float on photos that it was not calibrated on."""

import json
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import tensorflow as tf

from conversion.errors import ConversionError
from conversion.job import main
from conversion.parity import Limits
from conversion.pipeline import ConversionRequest
from conversion.quantization import Quantization
from conversion.tests.conftest import PHOTOS, Conversion, converted

CROPS = 4
"""Calibration photos made of each sample."""


@pytest.fixture(scope="module")
def calibration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Parts of the sample photos, mirrored: alike, and not the same."""
    directory = tmp_path_factory.mktemp("calibration")
    for photo in PHOTOS.glob("*.jpg"):
        pixels = tf.image.flip_left_right(tf.io.decode_jpeg(photo.read_bytes(), 3))
        size = [int(pixels.shape[0] * 0.6), int(pixels.shape[1] * 0.6), 3]
        for seed in range(CROPS):
            crop = tf.image.stateless_random_crop(pixels, size, [seed, 0])
            (directory / f"{photo.stem}-{seed}.jpg").write_bytes(tf.io.encode_jpeg(crop).numpy())
    return directory


@pytest.fixture(scope="module")
def request_int8(saved_model: Path, photos: Path, calibration: Path) -> ConversionRequest:
    quantization = Quantization(calibration)
    return ConversionRequest(
        saved_model, photos, "serving_default", "images", ["output_alias"], quantization=quantization
    )


@pytest.fixture(scope="module")
def int8(request_int8: ConversionRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("int8")
    with (out / "log").open("w") as log, redirect_stdout(log):
        converted(request_int8, out)
    return out


def test_int8_is_static_per_channel_u8s8(int8: Path) -> None:
    graph = onnx.load(int8 / "model.onnx").graph
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    activations = [node for node in graph.node if node.op_type == "QuantizeLinear"]
    assert activations
    assert {tensors[node.input[2]].data_type for node in activations} == {onnx.TensorProto.UINT8}
    producers = {output: node for node in graph.node for output in node.output}
    kernels = [producers[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert {tensors[kernel.input[0]].data_type for kernel in kernels} == {onnx.TensorProto.INT8}
    assert all(tensors[kernel.input[1]].dims == tensors[kernel.input[0]].dims[:1] for kernel in kernels)


def test_int8_is_a_quarter_of_the_size_and_says_how_far_it_may_be_off(int8: Path, conversion: Conversion) -> None:
    sizes = [(directory / "model.onnx").stat().st_size for directory in (int8, conversion.out)]
    assert sizes[0] < sizes[1] / 3
    outputs = json.loads((int8 / "manifest.json").read_text())["outputs"]
    # The largest probability of the three photos is that of the espresso.
    assert [round(output["tolerance"], 3) for output in outputs] == [0.095]


def test_the_speed_up_is_reported(int8: Path) -> None:
    log = (int8 / "log").read_text()
    assert re.search(
        r"int8 takes [0-9.]+ ms for an image on one thread and float [0-9.]+ ms: [0-9.]+ times as fast", log
    )


def refused(request: ConversionRequest, out: Path) -> ConversionError:
    with pytest.raises(ConversionError) as failure:
        converted(request, out)
    assert not (out / "manifest.json").exists()
    return failure.value


def test_int8_over_its_limits_is_refused(request_int8: ConversionRequest, calibration: Path, tmp_path: Path) -> None:
    strict = Quantization(calibration, Limits(relative=1e-3))
    failure = refused(replace(request_int8, quantization=strict), tmp_path / "strict")
    assert failure.code == "QuantizationParityFailed"
    (tmp_path / "grey").mkdir()
    grey = tf.io.encode_jpeg(np.full((300, 300, 3), 127, np.uint8)).numpy()
    (tmp_path / "grey" / "grey.jpg").write_bytes(grey)
    alike = Quantization(tmp_path / "grey")
    assert refused(replace(request_int8, quantization=alike), tmp_path / "alike").code == "QuantizationParityFailed"


def add_a_test_photo(directory: Path) -> None:
    shutil.copyfile(PHOTOS / "coffee.jpg", directory / "mug.jpg")


def add_a_broken_photo(directory: Path) -> None:
    (directory / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 cut short")


@pytest.mark.parametrize(
    ("prepare", "code", "named"),
    [
        (lambda _: None, "CalibrationEmpty", "calibration"),
        (add_a_test_photo, "CalibrationOverlap", "mug.jpg"),
        (add_a_broken_photo, "PhotoRefused", "broken.jpg"),
    ],
)
def test_calibration_photos_that_will_not_do_are_named(
    prepare: Callable[[Path], None], code: str, named: str, request_int8: ConversionRequest, tmp_path: Path
) -> None:
    directory = tmp_path / "calibration"
    directory.mkdir()
    prepare(directory)
    failure = refused(replace(request_int8, quantization=Quantization(directory)), tmp_path / "out")
    assert (failure.code, named in failure.message) == (code, True)


def test_quantize_and_calibration_need_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", "m", "--photos", "p", "--input", "i", "--output", "o", "--out", str(tmp_path)]
    with pytest.raises(SystemExit):
        main([*arguments, "--quantize", "int8"])
    assert "--quantize and --calibration need each other" in capsys.readouterr().err
