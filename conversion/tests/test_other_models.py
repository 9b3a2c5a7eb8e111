"""Models that differ from the sample: what is supported converts, what is not says so."""

import gc
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime
import pytest
import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from conversion import weights
from conversion.errors import ConversionError
from conversion.job import main
from conversion.pipeline import ConversionRequest
from conversion.tests import toy_models
from conversion.tests.conftest import converted
from conversion.tests.image_kinds import cmyk_jpeg, image_kinds


def run(model: Path, photos: Path, out: Path, output: str = "scores", image: str | None = None) -> str:
    key = image or ("images" if model.name != "single" else "image")
    return converted(ConversionRequest(model, photos, "serving_default", key, [output]), out)


def failure_of(call: Callable[[], object]) -> ConversionError:
    with pytest.raises(ConversionError) as failure:
        call()
    return failure.value


@pytest.mark.parametrize("large", [weights.LARGE_BYTES, 4])
def test_captured_constants_belong_to_the_preprocessing(
    large: int, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "LARGE_BYTES", large)
    mean = tf.constant([123.68, 116.78, 103.94])
    model = toy_models.save_mapped(tmp_path / "model", lambda jpeg: toy_models.resize(toy_models.decode(jpeg)) - mean)
    assert run(model, photos, tmp_path / "out").startswith("sha256:")


def test_a_model_of_tensorflow_1_converts(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_tf1(
        tmp_path / "model", lambda jpeg: toy_models.resized(jpeg) - tf.constant([123.68, 116.78, 103.94])
    )
    assert run(model, photos, tmp_path / "out").startswith("sha256:")


def test_the_outputs_that_are_asked_for_are_kept(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_two_outputs(tmp_path / "model")
    for wanted in (["scores", "probabilities"], ["probabilities"]):
        converted(ConversionRequest(model, photos, "serving_default", "images", wanted), tmp_path / "out")
        session = onnxruntime.InferenceSession(tmp_path / "out" / "model.onnx")
        assert [output.name for output in session.get_outputs()] == wanted


def test_a_model_of_one_scalar_jpeg_converts(photos: Path, tmp_path: Path) -> None:
    assert run(toy_models.save_single(tmp_path / "single"), photos, tmp_path / "out").startswith("sha256:")


def test_tensor_names_do_as_well_as_keys(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_mapped(tmp_path / "model")
    run(model, photos, tmp_path / "out", "PartitionedCall:0", "serving_default_images")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["inputs"][0]["name"], manifest["outputs"][0]["name"]) == ("images", "scores")


@pytest.mark.parametrize(
    ("signature", "image", "output", "code", "named"),
    [
        ("other", "images", "output_alias", "SignatureNotFound", "serving_default"),
        ("serving_default", "image", "output_alias", "TensorNotFound", "images (serving_default_images:0)"),
        ("serving_default", "images", "logits", "TensorNotFound", "output_alias (StatefulPartitionedCall_1:0)"),
    ],
)
def test_what_the_model_has_is_listed(
    saved_model: Path, photos: Path, tmp_path: Path, signature: str, image: str, output: str, code: str, named: str
) -> None:
    request = ConversionRequest(saved_model, photos, signature, image, [output])
    failure = failure_of(lambda: converted(request, tmp_path))
    assert failure.code == code
    assert named in failure.message
    assert not (tmp_path / "manifest.json").exists()


def save_decoding(out: Path, decode: toy_models.Preprocess) -> Path:
    toy_models.save_mapped(out, lambda jpeg: toy_models.resize(tf.cast(decode(jpeg), tf.float32)))
    gc.collect()  # or TensorFlow still knows the functions of the model that was saved
    return out


def jpeg_or_png(image: tf.Tensor) -> tf.Tensor:
    is_jpeg = tf.equal(tf.strings.substr(image, 0, 2), b"\xff\xd8")
    return tf.cond(is_jpeg, lambda: tf.io.decode_jpeg(image, 3), lambda: tf.io.decode_png(image, 3))


@pytest.mark.parametrize(
    ("decode", "code", "named"),
    [
        (lambda jpeg: tf.image.grayscale_to_rgb(tf.io.decode_jpeg(jpeg, 1)), "UnsupportedDecode", "channels=1"),
        (lambda jpeg: tf.io.decode_jpeg(jpeg, 3, ratio=2), "UnsupportedDecode", "ratio=2"),
        (lambda jpeg: tf.io.decode_png(jpeg, 3, dtype=tf.uint16), "UnsupportedDecode", "dtype=uint16"),
        (
            lambda jpeg: tf.io.decode_jpeg(jpeg, 3) + tf.io.decode_jpeg(jpeg, 3, ratio=1),
            "UnsupportedPreprocessing",
            "2",
        ),
        (jpeg_or_png, "UnsupportedPreprocessing", "DecodePng"),
        (
            lambda jpeg: tf.io.decode_and_crop_jpeg(jpeg, [0, 0, 9, 9], 3),
            "UnsupportedPreprocessing",
            "DecodeAndCropJpeg",
        ),
    ],
)
def test_decoding_that_the_server_cannot_repeat_is_refused(
    photos: Path, tmp_path: Path, decode: toy_models.Preprocess, code: str, named: str
) -> None:
    model = save_decoding(tmp_path / "model", decode)
    failure = failure_of(lambda: run(model, photos, tmp_path / "out"))
    assert (failure.code, named in failure.message) == (code, True), failure.message


@pytest.mark.parametrize(
    ("op", "decode"),
    [
        ("DecodeJpeg", lambda jpeg: tf.io.decode_jpeg(jpeg, 3)),
        ("DecodeJpeg", lambda jpeg: tf.io.decode_jpeg(jpeg, 3, dct_method="INTEGER_FAST")),
        ("DecodePng", lambda jpeg: tf.io.decode_png(jpeg, 3)),
        ("DecodeImage", lambda jpeg: tf.io.decode_image(jpeg, 3, expand_animations=False)),
        ("DecodeImage", lambda jpeg: tf.ensure_shape(tf.io.decode_image(jpeg, 3), [None, None, 3])),
        ("DecodeImage", lambda jpeg: tf.io.decode_image(jpeg, 3, tf.float32, expand_animations=False) * 2 - 1),
    ],
    ids=["jpeg", "fast", "png", "image", "animation", "float"],
)
def test_each_decode_op_converts(op: str, decode: toy_models.Preprocess, photos: Path, tmp_path: Path) -> None:
    run(save_decoding(tmp_path / "model", decode), photos, tmp_path / "out")
    assert f'"op": "{op}"' in (tmp_path / "out" / "manifest.json").read_text()


def test_a_model_whose_keras_objects_cannot_be_revived_converts(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_mapped(tmp_path / "model")
    graph = SavedModel.FromString((model / "saved_model.pb").read_bytes())
    for node in graph.meta_graphs[0].object_graph_def.nodes:
        if node.bare_concrete_function.concrete_function_name:
            node.bare_concrete_function.concrete_function_name = "gone"
    (model / "saved_model.pb").write_bytes(graph.SerializeToString())
    with pytest.raises(KeyError, match="gone"):
        tf.saved_model.load(str(model))
    assert run(model, photos, tmp_path / "out").startswith("sha256:")


def test_images_without_a_fixed_size_are_refused(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_single(tmp_path / "single", resize=lambda pixels: pixels)
    failure = failure_of(lambda: run(model, photos, tmp_path / "out"))
    assert failure.code == "DynamicImageSize"
    assert "ExpandDims" in failure.message


def test_a_cmyk_photo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "print.jpg").write_bytes(cmyk_jpeg())
    failure = failure_of(lambda: run(toy_models.save_mapped(tmp_path / "model"), tmp_path / "photos", tmp_path / "out"))
    assert (failure.code, "print.jpg" in failure.message) == ("PhotoNotRgb", True)


@pytest.mark.parametrize(
    ("kind", "code"),
    [("truncated", "PhotoRefused"), ("gif", "PhotoNotJpeg"), ("png", "PhotoNotJpeg")],
)
def test_a_bad_photo_is_named(saved_model: Path, tmp_path: Path, kind: str, code: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_bytes(image_kinds()[kind])
    failure = failure_of(lambda: run(saved_model, tmp_path / "photos", tmp_path / "out", "output_alias"))
    assert failure.code == code
    assert "bad.jpg" in failure.message


@pytest.mark.parametrize("kind", ["progressive", "grayscale", "poor", "one-pixel", "turned"])
def test_any_kind_of_jpeg_is_converted(kind: str, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "odd.jpg").write_bytes(image_kinds()[kind])
    run(toy_models.save_mapped(tmp_path / "model"), tmp_path / "photos", tmp_path / "out")


def test_the_job_ends_with_one_line_and_exit_code_2(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--model", str(tmp_path), "--photos", str(photos), "--input", "images", "--output", "scores"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("slipway: phase=load")
    assert captured.err.splitlines()[-1].startswith("slipway: error=NotASavedModel message=there is no saved_model.pb")


def test_the_job_ends_itself_when_it_takes_too_much_memory(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_mapped(tmp_path / "model")
    arguments = [
        "--model",
        model,
        "--photos",
        photos,
        "--input",
        "images",
        "--output",
        "scores",
        "--max-memory",
        "300M",
    ]
    environment = os.environ | {"TMPDIR": str(tmp_path / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
    (tmp_path / "tmp").mkdir()
    job = subprocess.run(
        [sys.executable, "-m", "conversion.job", *arguments, "--max-memory", "300M", "--out", tmp_path / "out"],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert job.returncode == 2
    assert re.match(r"slipway: error=MemoryExceeded message=.* 0.30 GB are allowed fix=", job.stderr.splitlines()[-1])
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert list((tmp_path / "tmp").glob("slipway-*")) == []
