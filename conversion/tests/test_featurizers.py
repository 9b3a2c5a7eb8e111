"""Featurizers as they are built: served by the TF1 loader, converted, and made of the weights that were asked for."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from conversion.build import main, tree_digest
from conversion.errors import BuildError
from conversion.featurizers.default_boxes import decode_boxes, default_boxes
from conversion.featurizers.export import export_saved_model
from conversion.featurizers.head import Head, read_head
from conversion.featurizers.keras_classifiers import ARCHITECTURES
from conversion.featurizers.request import NONE, BuildRequest
from conversion.golden import read_photos, score
from conversion.load import select, serving_session
from conversion.pipeline import ConversionRequest
from conversion.tests import small_networks
from conversion.tests.conftest import PHOTOS, converted

OUTPUTS = {name: ["output_alias"] for name in small_networks.NETWORKS} | {"ssd-vgg": ["scores", "boxes"]}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Skipping nested container")


def built(name: str, out: Path, request: BuildRequest | None = None) -> Path:
    export_saved_model(name, small_networks.blueprint(name, request), out)
    return out


def answers(model: Path, signature: str, outputs: list[str]) -> dict[str, np.ndarray]:
    selection = select(model, signature, "images", outputs)
    with serving_session(model) as session:
        goldens = score(session, selection, read_photos(PHOTOS))
    return {key: np.concatenate([golden.rows[key] for golden in goldens]) for key in outputs}


def failure_of(call: Callable[[], object]) -> BuildError:
    with pytest.raises(BuildError) as failure:
        call()
    return failure.value


@pytest.mark.parametrize("name", OUTPUTS)
def test_each_featurizer_is_served_and_converts(name: str, photos: Path, tmp_path: Path) -> None:
    model = built(name, tmp_path / "model")
    rows = answers(model, "serving_default", OUTPUTS[name])
    assert all(np.isfinite(row).all() for row in rows.values())
    first = rows[OUTPUTS[name][0]]
    np.testing.assert_allclose(first.sum(-1), 1, rtol=1e-5)
    assert first.std(0).max() > 0, "it answers the same to every photo"
    request = ConversionRequest(model, photos, "serving_default", "images", OUTPUTS[name])
    assert converted(request, tmp_path / "out").startswith("sha256:")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_preprocessing_is_that_of_keras(name: str) -> None:
    pixels = tf.constant(np.random.default_rng(0).uniform(0, 255, (5, 4, 3)), tf.float32)
    module = {"resnet50": "resnet", "resnet152": "resnet", "densenet121": "densenet"}.get(name, name)
    documented = getattr(keras.applications, module).preprocess_input(tf.identity(pixels))
    np.testing.assert_allclose(ARCHITECTURES[name].normalise(pixels), documented, rtol=1e-5, atol=1e-5)


def test_random_weights_are_the_same_in_every_process(tmp_path: Path) -> None:
    program = """
import sys; from pathlib import Path
from conversion.tests.test_featurizers import built
built("densenet121", Path(sys.argv[1]))"""
    for name in ("first", "second"):
        environment = os.environ | {"PYTHONHASHSEED": str(len(name)), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", program, str(tmp_path / name)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[2], env=environment, capture_output=True)
    assert tree_digest(tmp_path / "first") == tree_digest(tmp_path / "second")
    tags = json.loads((tmp_path / "first" / "assets.extra" / "tags.json").read_text())
    assert tags["weights"].startswith("none (random, seed ")


def save_checkpoint(model: Any, file: Path) -> Path:
    return Path(tf.train.Checkpoint(model=model).write(str(file)))


SAVED = {
    "weights.h5": lambda model, file: model.save_weights(file),
    "h5": lambda model, file: model.save(file),
    "keras": lambda model, file: model.save(file),
    "ckpt": save_checkpoint,
}


@pytest.mark.parametrize("suffix", SAVED)
def test_weights_of_a_file_are_used(suffix: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(1)
    model = small_networks.resnet(None, small_networks.CLASSES)
    file = tmp_path / f"own.{suffix}"
    SAVED[suffix](model, file)
    request = BuildRequest("resnet50", str(file), small_networks.CLASSES)
    rows = answers(built("resnet50", tmp_path / "model", request), "features", ["features"])["features"]
    blueprint = small_networks.blueprint("resnet50")
    images = tf.stack([blueprint.preprocess(photo.jpeg) for photo in read_photos(PHOTOS)])
    expected = keras.Model(model.input, model.get_layer("avg_pool").output)(images, training=False)
    np.testing.assert_allclose(rows, expected, rtol=1e-4, atol=1e-5)
    assert json.loads((tmp_path / "model" / "assets.extra" / "tags.json").read_text())["weights"].startswith("own.")


def cut_short(file: Path) -> None:
    data = file if file.is_file() else file.with_name(f"{file.name}.data-00000-of-00001")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])


@pytest.mark.parametrize("suffix", SAVED)
def test_truncated_weights_are_named_as_such(suffix: str, tmp_path: Path) -> None:
    file = tmp_path / f"own.{suffix}"
    SAVED[suffix](small_networks.resnet(None, small_networks.CLASSES), file)
    cut_short(file)
    request = BuildRequest("resnet50", str(file), small_networks.CLASSES)
    assert failure_of(lambda: small_networks.blueprint("resnet50", request)).code == "WeightsDamaged"


@pytest.mark.parametrize("suffix", SAVED)
@pytest.mark.parametrize("other", [small_networks.densenet, lambda weights, _: small_networks.resnet(weights, 9)])
def test_weights_of_another_network_are_named_as_such(suffix: str, other: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / f"own.{suffix}"
    SAVED[suffix](other(None, small_networks.CLASSES), file)
    request = BuildRequest("resnet50", str(file), small_networks.CLASSES)
    failure = failure_of(lambda: small_networks.blueprint("resnet50", request))
    assert (failure.code, "resnet50" in failure.message) == ("WeightsMismatch", True)


def test_a_file_that_is_no_weights_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.pth").write_bytes(b"something")
    for name, code in (("own.pth", "WeightsUnsupported"), ("missing.h5", "WeightsNotFound")):
        request = BuildRequest("resnet50", str(tmp_path / name))
        assert failure_of(lambda request=request: small_networks.blueprint("resnet50", request)).code == code


def test_published_weights_without_a_connection_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    assert main(["densenet121", "--out", str(tmp_path / "model")]) == 2
    captured = capsys.readouterr()
    assert "error=WeightsUnavailable" in captured.err
    assert "--weights FILE" in captured.err
    assert captured.out == ""
    assert list(tmp_path.iterdir()) == []


def test_a_head_of_ones_own_answers_with_its_classes(photos: Path, tmp_path: Path) -> None:
    width = answers(built("densenet121", tmp_path / "plain"), "features", ["features"])["features"].shape[1]
    kernel = np.random.default_rng(0).normal(size=(width, 3)).astype(np.float32)
    np.savez(tmp_path / "own.npz", kernel=kernel, bias=np.array([0, 0, 50.0]), labels=["cat", "coffee", "rocket"])
    request = BuildRequest("densenet121", NONE, head=read_head(tmp_path / "own.npz"))
    model = built("densenet121", tmp_path / "model", request)
    rows = answers(model, "serving_default", ["output_alias"])["output_alias"]
    assert rows.argmax(1).tolist() == [2, 2, 2]
    converted(ConversionRequest(model, photos, "serving_default", "images", ["output_alias"]), tmp_path / "out")
    assert (tmp_path / "out" / "labels.txt").read_text() == "cat\ncoffee\nrocket\n"


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"kernel": np.ones((4, 2))}, "it has no bias"),
        ({"kernel": np.ones((4, 2)), "bias": np.ones(3)}, "kernel has the shape [4, 2] and bias [3]"),
        ({"kernel": np.ones((4, 2)), "bias": np.ones(2), "labels": np.array(["one"])}, "1 labels for 2 classes"),
        ({"kernel": np.full((4, 2), np.nan), "bias": np.ones(2)}, "kernel holds something that is not a finite"),
    ],
)
def test_a_head_that_does_not_fit_together_is_refused(arrays: dict[str, np.ndarray], told: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **arrays)
    failure = failure_of(lambda: read_head(tmp_path / "own.npz"))
    assert failure.code == "HeadInvalid"
    assert told in failure.message


def test_a_head_for_other_features_is_refused() -> None:
    head = Head(np.ones((5, 2), np.float32), np.ones(2, np.float32), None, "own")
    for name, code in (("resnet50", "HeadMismatch"), ("ssd-vgg", "HeadUnsupported")):
        request = BuildRequest(name, NONE, head=head)
        assert failure_of(lambda request=request: small_networks.blueprint(request.name, request)).code == code


def test_the_result_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "model"
    assert main(["efficientnet-lite0", "--weights", "none", "--classes", "5", "--out", str(out), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["input"] == {
        "name": "images",
        "tensor": "serving_default_images:0",
        "dtype": "DT_STRING",
        "shape": [-1],
    }
    assert [(tensor["name"], tensor["shape"]) for tensor in result["outputs"]] == [("output_alias", [-1, 5])]
    assert (result["features"]["signature"], result["features"]["shape"]) == ("features", [-1, 1280])
    assert (result["version"], result["parameters"]) == ("1", 4_694_024 - 995 * 1281)
    assert result["digest"] == tree_digest(out)
    assert main(["efficientnet-lite0", "--classes", "5", "--out", str(out)]) == 2
    assert "error=ClassesMismatch" in capsys.readouterr().err
    assert tree_digest(out) == result["digest"], "a failed build took what was there"


def test_default_boxes_tile_the_image() -> None:
    boxes = default_boxes()
    assert boxes.shape == (8732, 4)
    np.testing.assert_allclose(boxes[:, :2].mean(0), 0.5, atol=1e-4)
    corners = decode_boxes(tf.zeros([1, 8732, 4])).numpy()[0]
    assert (
        (corners[:, :2] < corners[:, 2:]) & (corners >= 0).all(1, keepdims=True) & (corners <= 1).all(1, keepdims=True)
    ).all()
