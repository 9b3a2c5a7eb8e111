"""Makes int8 of a converted network: static QDQ, unsigned activations, signed weights per channel (U8S8).

CPUs with VNNI multiply such numbers several at a time; signed activations would forgo most of that.
"""

import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import tensorflow as tf
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

from conversion.cut import DecodeOp
from conversion.errors import ConversionError
from conversion.golden import decode, read_photos
from conversion.onnx_export import IMAGE, PIXELS, check
from conversion.parity import Limits, session
from conversion.photo import Photo

LIMITS = Limits(relative=0.1, top5=3)
"""Of int8 against float. EfficientNet-Lite0, calibrated well, is off by 0.04 and keeps four of five classes."""
ROUNDS = 5
CALLS = 5
"""In each round, of each model."""
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Quantization:
    """How to make int8."""

    calibration: Path
    """Directory of JPEGs of the kind that will be scored; none of them may be one to check the result with."""
    limits: Limits = LIMITS
    """How far int8 may be from float."""


@dataclass(frozen=True)
class Speed:
    """Milliseconds for one image on one thread: medians of alternating rounds."""

    before: float
    after: float

    @property
    def speedup(self) -> float:
        """Times as fast as before."""
        return self.before / self.after


def read_calibration(directory: Path, photos: Sequence[Photo]) -> list[Photo]:
    """The calibration photos, none of which is one of ``photos``.

    Raises:
        ConversionError: there is none, or one is.
    """
    try:
        calibration = read_photos(directory)
    except ConversionError as error:
        if error.code != "NoPhotos":
            raise
        raise ConversionError(
            "CalibrationEmpty",
            f"there are no calibration photos in {directory.name}/",
            "give some tens of JPEGs of the kind that will be scored",
        ) from error
    digests = {photo.digest for photo in photos}
    both = [photo.name for photo in calibration if photo.digest in digests]
    if both:
        raise ConversionError(
            "CalibrationOverlap",
            f"calibration photos are among those that check the result: {', '.join(both)}",
            "take them out of either: what int8 was fitted to says nothing about what it does to others",
        )
    return calibration


def quantize(preprocess: Path, model: Path, op: DecodeOp, calibration: Sequence[Photo], out: Path) -> None:
    """Writes ``model`` in int8 as ``out``, with the ranges that activations have on the calibration photos.

    Raises:
        ConversionError: TensorFlow cannot decode a calibration photo.
    """
    quantize_static(
        model,
        out,
        _Images(preprocess, op, calibration),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )
    quantized = onnx.load(out)
    check(quantized, model.stem)
    out.write_bytes(quantized.SerializeToString(deterministic=True))


def measure_speed(before: Path, after: Path) -> Speed:
    """How long two models take for one image on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    models = [session(file, options) for file in (before, after)]
    shape = [size if isinstance(size, int) else 1 for size in models[0].get_inputs()[0].shape]
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for model in models:
        model.run(None, {IMAGE: image})
    rounds = [[_milliseconds(model, image) for model in models] for _ in range(ROUNDS)]
    return Speed(*(statistics.median(column) for column in zip(*rounds, strict=True)))


def has_vnni() -> bool:
    """Whether the CPU multiplies int8 numbers several at a time (x86 on Linux; False where that cannot be told)."""
    return CPUINFO.is_file() and "vnni" in CPUINFO.read_text(encoding="utf-8")


class _Images(CalibrationDataReader):  # type: ignore[misc]
    """Feeds the preprocessed calibration photos one by one."""

    def __init__(self, preprocess: Path, op: DecodeOp, photos: Sequence[Photo]) -> None:
        self._images = self._preprocessed(session(preprocess), op, photos)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next input of the network; None at the end."""
        return next(self._images, None)

    @staticmethod
    def _preprocessed(
        preprocess: onnxruntime.InferenceSession, op: DecodeOp, photos: Sequence[Photo]
    ) -> Iterator[dict[str, NDArray[Any]]]:
        for photo in photos:
            try:
                pixels = decode(op, photo.jpeg)
            except tf.errors.OpError as error:
                raise ConversionError(
                    "PhotoRefused", f"calibration photo {photo.name} cannot be decoded: {error.message}", "remove it"
                ) from error
            (image,) = preprocess.run([IMAGE], {PIXELS: pixels})
            yield {IMAGE: image[np.newaxis]}


def _milliseconds(model: onnxruntime.InferenceSession, image: NDArray[np.float32]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        model.run(None, {IMAGE: image})
    return (time.perf_counter() - started) / CALLS * 1000
