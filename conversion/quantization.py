"""What is asked of int8."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from conversion.errors import ConversionError
from conversion.golden import read_photos
from conversion.load import SignatureTensor
from conversion.parity import Limits
from conversion.photo import Photo

LIMITS = Limits(relative=0.1, top5=3)
"""Of int8 against float. EfficientNet-Lite0, calibrated well, is off by 0.04 and keeps four of five classes."""


@dataclass(frozen=True)
class Quantization:
    """How to make int8."""

    calibration: Path
    """Directory of JPEGs of the kind that will be scored; none of them may be one to check the result with."""
    limits: Limits = LIMITS
    """How far int8 may be from float."""


def require_known_range(source: SignatureTensor) -> None:
    """Makes sure that photos can be given to the input as its callers give them.

    Raises:
        ConversionError: they cannot.
    """
    if source.dtype == "DT_FLOAT":
        raise ConversionError(
            "UnsupportedInput",
            f"input '{source.key}' is DT_FLOAT: calibration needs to know the range of values that it wants",
            "leave conversion.quantize out, or export a signature that takes JPEGs or bytes",
        )


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
