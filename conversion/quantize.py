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

from conversion.errors import ConversionError
from conversion.onnx_export import IMAGE, check
from conversion.parity import session
from conversion.photo import ImageOf, Photo

ROUNDS = 5
CALLS = 5
"""In each round, of each model."""
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Speed:
    """Milliseconds for one image on one thread: medians of alternating rounds."""

    before: float
    after: float

    @property
    def speedup(self) -> float:
        """Times as fast as before."""
        return self.before / self.after


def quantize(image_of: ImageOf, model: Path, calibration: Sequence[Photo], out: Path) -> None:
    """Writes ``model`` in int8 as ``out``, with the ranges that activations have on the calibration photos.

    Raises:
        ConversionError: TensorFlow cannot decode a calibration photo.
    """
    quantize_static(
        model,
        out,
        _Images(image_of, calibration),
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
    source = models[0].get_inputs()[0]
    shape = [size if isinstance(size, int) else 1 for size in source.shape]
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    if source.type == "tensor(uint8)":
        image = image.astype(np.uint8)
    for model in models:
        model.run(None, {IMAGE: image})
    rounds = [[_milliseconds(model, image) for model in models] for _ in range(ROUNDS)]
    return Speed(*(statistics.median(column) for column in zip(*rounds, strict=True)))


def has_vnni() -> bool:
    """Whether the CPU multiplies int8 numbers several at a time (x86 on Linux; False where that cannot be told)."""
    return CPUINFO.is_file() and "vnni" in CPUINFO.read_text(encoding="utf-8")


class _Images(CalibrationDataReader):  # type: ignore[misc]
    """Feeds the images of the calibration photos one by one."""

    def __init__(self, image_of: ImageOf, photos: Sequence[Photo]) -> None:
        self._images = self._images_of(image_of, photos)

    def get_next(self) -> dict[str, NDArray[Any]] | None:
        """The next input of the network; None at the end."""
        return next(self._images, None)

    @staticmethod
    def _images_of(image_of: ImageOf, photos: Sequence[Photo]) -> Iterator[dict[str, NDArray[Any]]]:
        for photo in photos:
            try:
                image = image_of(photo)
            except tf.errors.OpError as error:
                raise ConversionError(
                    "PhotoRefused", f"calibration photo {photo.name} cannot be decoded: {error.message}", "remove it"
                ) from error
            yield {IMAGE: image[np.newaxis]}


def _milliseconds(model: onnxruntime.InferenceSession, image: NDArray[Any]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        model.run(None, {IMAGE: image})
    return (time.perf_counter() - started) / CALLS * 1000
