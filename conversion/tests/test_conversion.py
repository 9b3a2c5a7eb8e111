"""Converting the sample: what comes out, and that a wrong result would be found."""

import json
import shutil
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
from conversion.parity import Comparison, Limits, ParityOutput, answers, compare, preprocessed, require, session
from conversion.photo import Photo
from conversion.tests.conftest import Conversion

DECODE = DecodeOp("decode", "DecodeJpeg", "")
OUTPUTS = [ParityOutput("output_alias", "output_alias", softmax=True)]


def goldens_of(conversion: Conversion, photos: Path) -> list[Golden]:
    files = conversion.out / "goldens"
    return [
        Golden(photo, {"output_alias": np.fromfile(files / f"{photo.digest}.output_alias.f32", "<f4").reshape(1, 1000)})
        for photo in read_photos(photos)
    ]


def comparisons_of(directory: Path, op: DecodeOp, goldens: list[Golden]) -> list[Comparison]:
    image_of = preprocessed(directory / "preprocess.onnx", op)
    actual = answers(image_of, session(directory / "model.onnx"), OUTPUTS, [golden.photo for golden in goldens])
    return compare(OUTPUTS, goldens, actual)


def failed(reason: str) -> ConversionError:
    return ConversionError("ParityFailed", reason)


def test_manifest_describes_every_file(conversion: Conversion) -> None:
    manifest = json.loads((conversion.out / "manifest.json").read_text(encoding="utf-8"))
    described = {part["file"]: part["sha256"] for part in (manifest[key] for key in ("model", "preprocess", "labels"))}
    sampling = manifest["preprocess"]["sampling"]
    described[sampling["geometry"]["file"]] = sampling["geometry"]["sha256"]
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


def shuffle_output(model: onnx.ModelProto) -> None:
    order = np.arange(1000)
    order[[282, 967]] = order[[967, 282]]
    model.graph.initializer.append(numpy_helper.from_array(order, "order"))
    model.graph.node[-1].output[0] = "unshuffled"
    model.graph.node.append(onnx.helper.make_node("Gather", ["unshuffled", "order"], ["output_alias"], axis=1))


@pytest.mark.parametrize(
    ("part", "spoil", "method"),
    [
        ("preprocess.onnx", shift_mean, ""),
        ("preprocess.onnx", swap_channels, ""),
        ("model.onnx", shuffle_output, ""),
        ("model.onnx", lambda _: None, "INTEGER_ACCURATE"),
    ],
    ids=["wrong mean", "swapped channels", "shuffled output", "other decoder"],
)
def test_a_wrong_conversion_misses_parity(
    part: str,
    spoil: Callable[[onnx.ModelProto], None],
    method: str,
    conversion: Conversion,
    photos: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    goldens = goldens_of(conversion, photos)
    assert require(comparisons_of(conversion.out, DECODE, goldens), Limits(), failed) < 1e-5
    assert "over the limit" not in capsys.readouterr().out
    shutil.copytree(conversion.out, tmp_path, dirs_exist_ok=True)
    model = onnx.load(tmp_path / part)
    spoil(model)
    onnx.save(model, tmp_path / part)
    wrong = comparisons_of(tmp_path, DecodeOp("decode", "DecodeJpeg", method), goldens)
    # The difference alone tells, whether or not the best classes change.
    with pytest.raises(ConversionError, match=r"over the limits of 0\.001 and 0 of 5"):
        require(wrong, Limits(top5=0), failed)
    table = capsys.readouterr().out
    assert table.count("output_alias") == 3
    assert "over the limit" in table
    require(wrong, Limits(relative=10, top5=0), failed)


@pytest.mark.parametrize(
    ("expected", "actual", "limits", "kept"),
    [
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 5, 0], Limits(), True),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 5.1, 0], Limits(), False),
        ([9, 8, 7, 6, 5, 0], [8, 9, 7, 6, 5, 0], Limits(relative=1), False),
        ([9, 8, 7, 6, 5, 0], [8, 9, 7, 6, 5, 0], Limits(relative=1, top5=4), True),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 0, 5], Limits(relative=1), False),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 0, 5], Limits(relative=1, top5=4), True),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 0, 1, 5], Limits(relative=1, top5=4), True),
        ([9, 8, 7, 6, 5, 0, 0], [9, 8, 7, 0, 1, 5, 6], Limits(relative=1, top5=4), False),
        ([9, 9.0001, 7, 6, 5, 0], [9.0001, 9, 7, 6, 5, 0], Limits(), True),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 5, float("nan")], Limits(relative=10, top5=0), False),
        ([9, 8, 7, 6, 5, 0], [9, 8, 7, 6, 5], Limits(relative=10, top5=0), False),
        ([0, 0, 0], [0, 0, 0], Limits(), True),
    ],
)
def test_limits(expected: list[float], actual: list[float], limits: Limits, kept: bool) -> None:
    photo = Photo("photo", "digest", b"")
    rows = [[Golden(photo, {"output_alias": np.array([row], np.float32)})] for row in (expected, actual)]
    output = ParityOutput("output_alias", "output_alias", softmax=False)
    assert [comparison.within(limits) for comparison in compare([output], *rows)] == [kept]


def test_what_is_next_to_impossible_counts_as_equal() -> None:
    photo = Photo("photo", "digest", b"")
    rows = [[1, 1e-20, 2e-38, 0], [1, 1e-20, 0, 1e-38]]
    goldens = [[Golden(photo, {"output_alias": np.array([row], np.float32)})] for row in rows]
    (comparison,) = compare(OUTPUTS, *goldens)
    assert comparison.difference == 0
