"""Photos as tensors, for models that take no JPEGs: what decodes for such a model is its caller."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from conversion.errors import ConversionError
from conversion.load import SignatureTensor
from conversion.photo import Photo

BRIGHTEST = 255
"""Of a byte. A float input gets 0..1, as TensorFlow Hub has it for images: what range it wants, nothing in it says."""


def with_tensors(photos: Sequence[Photo], source: SignatureTensor) -> list[Photo]:
    """The photos in the size, the colours and the type of the input. Not to be called within a graph.

    Raises:
        ConversionError: TensorFlow cannot decode a photo.
    """
    return [replace(photo, tensor=_tensor(photo, source)) for photo in photos]


def in_other_range(photos: Sequence[Photo]) -> list[Photo]:
    """The same photos from 0 to 255, for a float input: to one that wants this range all else is nearly black."""
    return [
        replace(photo, name=f"{photo.name} × {BRIGHTEST}", tensor=photo.tensor * BRIGHTEST)
        for photo in photos
        if photo.tensor is not None and photo.tensor.dtype == np.float32
    ]


def tensor_of(photo: Photo) -> NDArray[Any]:
    """The tensor that was made of a photo."""
    assert photo.tensor is not None
    return photo.tensor


def _tensor(photo: Photo, source: SignatureTensor) -> NDArray[Any]:
    _, height, width, channels = source.shape
    try:
        pixels = tf.io.decode_jpeg(photo.jpeg, channels)
    except tf.errors.OpError as error:
        raise ConversionError(
            "PhotoRefused", f"photo {photo.name} cannot be decoded: {error.message}", "give another photo"
        ) from error
    resized = tf.image.resize(pixels, [height, width], antialias=True).numpy()
    if source.dtype == "DT_UINT8":
        return np.clip(np.rint(resized), 0, BRIGHTEST).astype(np.uint8)
    return (resized / BRIGHTEST).astype(np.float32)
