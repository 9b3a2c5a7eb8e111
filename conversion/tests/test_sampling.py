"""Which preprocessing is found to be sampling, and that it is held against the graph."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf

from conversion.featurizers.imagenet import crop
from conversion.onnx_export import IMAGE, PIXELS, Part, export
from conversion.parity import session
from conversion.sampler import agrees, sampling_of
from conversion.weights import WeightFile

SIZE = [8, 8]
MEAN = [103.939, 116.779, 123.68]

Preprocess = Callable[[tf.Tensor], tf.Tensor]


def exported(preprocess: Preprocess, directory: Path) -> Path:
    """The preprocessing of float pixels as the conversion writes it."""

    @tf.function(input_signature=[tf.TensorSpec([None, None, 3], tf.uint8, name=PIXELS)], autograph=False)
    def images(pixels: tf.Tensor) -> tf.Tensor:
        return preprocess(tf.cast(pixels, tf.float32))

    function = images.get_concrete_function()
    outputs = {function.outputs[0].name: IMAGE}
    part = Part(function.graph.as_graph_def(), f"{PIXELS}:0", PIXELS, tf.uint8, (None, None, 3), outputs)
    export(part, WeightFile(directory / "weights"), directory / "preprocess.onnx")
    return directory / "preprocess.onnx"


def resized(image: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.image.resize(image, SIZE), [*SIZE, 3])


def resized_as_in_2019(image: tf.Tensor, **options: bool) -> tf.Tensor:
    return tf.compat.v1.image.resize_bilinear(image[tf.newaxis], SIZE, **options)[0]


@pytest.mark.parametrize(
    ("preprocess", "coordinates", "channels"),
    [
        (resized, "half_pixel", (0, 1, 2)),
        (lambda image: (crop(image) - 127) / 128, "half_pixel", (0, 1, 2)),
        (resized_as_in_2019, "asymmetric", (0, 1, 2)),
        (lambda image: resized_as_in_2019(image, align_corners=True), "align_corners", (0, 1, 2)),
        (lambda image: resized(image)[..., ::-1] - MEAN, "half_pixel", (2, 1, 0)),
        (lambda image: tf.gather(resized(image - MEAN) * [1.0, 2.0, 3.0], [2, 0, 1], axis=-1), "half_pixel", (2, 0, 1)),
        (lambda image: 1 - resized(image / 255), "half_pixel", (0, 1, 2)),
    ],
    ids=["resize", "crop", "asymmetric", "corners", "blue first", "other order", "turned round"],
)
def test_a_resize_a_crop_and_a_scale_are_sampling(
    preprocess: Preprocess, coordinates: str, channels: tuple[int, ...], tmp_path: Path
) -> None:
    file = exported(preprocess, tmp_path)
    sampling = sampling_of(file)
    assert sampling
    assert (sampling.coordinates, sampling.channels) == (coordinates, channels)
    graph = session(file)
    assert not agrees(replace(sampling, scale=tuple(1.01 * value for value in sampling.scale)), graph)
    assert not agrees(replace(sampling, channels=(*channels[1:], channels[0])), graph)


@pytest.mark.parametrize(
    "preprocess",
    [
        lambda image: tf.ensure_shape(tf.image.resize(image, SIZE, "nearest"), [*SIZE, 3]),
        lambda image: tf.ensure_shape(tf.image.resize(image, SIZE, "bicubic"), [*SIZE, 3]),
        lambda image: resized(tf.image.central_crop(image, 0.5)),
        lambda image: tf.image.per_image_standardization(resized(image)),
        lambda image: tf.clip_by_value(resized(image) - 10, 0, 255),
        lambda image: resized(resized(image)),
        lambda image: resized(image) * tf.reshape(tf.range(8.0), [8, 1, 1]),
        lambda image: resized(image)[:, ::-1],
    ],
    ids=["nearest", "bicubic", "crop first", "by image", "clipped", "twice", "by place", "mirrored"],
)
def test_other_preprocessing_stays_with_its_graph(
    preprocess: Preprocess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sampling_of(exported(preprocess, tmp_path)) is None
    assert "the preprocessing is more than" in capsys.readouterr().out
