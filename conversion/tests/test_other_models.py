"""Models that differ from the sample: what is supported converts, what is not says so."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from conversion import weights
from conversion.errors import ConversionError
from conversion.job import main
from conversion.pipeline import ConversionRequest, convert
from conversion.tests import toy_models


def run(model: Path, photos: Path, out: Path, output: str = "scores", image: str | None = None) -> str:
    key = image or ("images" if model.name != "single" else "image")
    return convert(ConversionRequest(model, photos, "serving_default", key, [output]), out)


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
        convert(ConversionRequest(model, photos, "serving_default", "images", wanted), tmp_path / "out")
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
    failure = failure_of(lambda: convert(request, tmp_path))
    assert failure.code == code
    assert named in failure.message
    assert not (tmp_path / "manifest.json").exists()


def test_an_op_without_onnx_counterpart_is_named(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_mapped(
        tmp_path / "model", network=lambda images: tf.math.lgamma(toy_models.mean_colour(images) + 1)
    )
    failure = failure_of(lambda: run(model, photos, tmp_path / "out"))
    assert failure.code == "UnsupportedOperation"
    assert "Lgamma" in failure.message


@pytest.mark.parametrize(
    ("decode", "code"),
    [
        (lambda jpeg: tf.image.grayscale_to_rgb(tf.io.decode_jpeg(jpeg, channels=1)), "UnsupportedDecode"),
        (lambda jpeg: tf.io.decode_jpeg(jpeg, channels=3, ratio=2), "UnsupportedDecode"),
        (lambda jpeg: tf.io.decode_jpeg(jpeg, 3) + tf.io.decode_jpeg(jpeg, 3, ratio=1), "UnsupportedPreprocessing"),
    ],
)
def test_decoding_that_the_server_cannot_repeat_is_refused(
    photos: Path, tmp_path: Path, decode: toy_models.Preprocess, code: str
) -> None:
    model = toy_models.save_mapped(
        tmp_path / "model", lambda jpeg: toy_models.resize(tf.cast(decode(jpeg), tf.float32))
    )
    assert failure_of(lambda: run(model, photos, tmp_path / "out")).code == code


@pytest.mark.parametrize("method", ["INTEGER_FAST", "INTEGER_ACCURATE"])
def test_the_decoding_method_is_read_from_the_graph(photos: Path, tmp_path: Path, method: str) -> None:
    model = toy_models.save_mapped(
        tmp_path / "model",
        lambda jpeg: toy_models.resize(tf.cast(tf.io.decode_jpeg(jpeg, 3, dct_method=method), tf.float32)),
    )
    run(model, photos, tmp_path / "out")
    assert f'"dctMethod": "{method}"' in (tmp_path / "out" / "manifest.json").read_text()


def test_decode_image_is_recognised(photos: Path, tmp_path: Path) -> None:
    model = toy_models.save_mapped(
        tmp_path / "model",
        lambda jpeg: toy_models.resize(tf.cast(tf.io.decode_image(jpeg, 3, expand_animations=False), tf.float32)),
    )
    run(model, photos, tmp_path / "out")
    assert '"op": "DecodeImage"' in (tmp_path / "out" / "manifest.json").read_text()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xff\xd8\xff\xe0 cut short", "PhotoRefused"), (b"GIF89a", "PhotoNotJpeg")],
)
def test_a_bad_photo_is_named(saved_model: Path, tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "bad.jpg").write_bytes(content)
    failure = failure_of(lambda: run(saved_model, tmp_path / "photos", tmp_path / "out", "output_alias"))
    assert failure.code == code
    assert "bad.jpg" in failure.message


@pytest.mark.parametrize("options", [{"progressive": True}, {"format": "grayscale"}, {"quality": 5}])
def test_any_kind_of_jpeg_is_converted(tmp_path: Path, options: dict[str, object]) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (33, 47, 3)).astype(np.uint8)
    if options.get("format") == "grayscale":
        pixels = pixels[:, :, :1]
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "odd.jpg").write_bytes(tf.io.encode_jpeg(pixels, **options).numpy())
    run(toy_models.save_mapped(tmp_path / "model"), tmp_path / "photos", tmp_path / "out")


def test_the_job_ends_with_one_line_and_exit_code_2(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--model", str(tmp_path), "--photos", str(photos), "--input", "images", "--output", "scores"]
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    captured = capsys.readouterr()
    assert captured.out.startswith("slipway: phase=load")
    assert captured.err.splitlines()[-1].startswith("slipway: error=NotASavedModel message=there is no saved_model.pb")
