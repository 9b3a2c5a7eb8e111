"""Photos that every conversion is held against besides the user's own, which may be few and alike."""

import hashlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from conversion.photo import Photo

SIZES = ((480, 640), (643, 481))
"""Height and width in pixels: a usual photo, and one upright whose odd sides chroma subsampling splits unevenly."""
SEED = 7
COARSE = 12
"""Cells of colour along the shorter side."""


def generated_photos() -> Iterator[Photo]:
    """Colour and detail at all scales, the same everywhere. Not to be called within a graph."""
    generator = np.random.default_rng(SEED)
    for number, (height, width) in enumerate(SIZES, start=1):
        coarse = generator.uniform(0, 255, (COARSE, COARSE, 3))
        fine = generator.normal(0, 12, (height, width, 3))
        pixels = tf.image.resize(coarse, [height, width], "bilinear").numpy() + fine
        jpeg = tf.io.encode_jpeg(np.clip(pixels, 0, 255).astype(np.uint8), quality=90).numpy()
        yield Photo(f"generated-{number}", hashlib.sha256(jpeg).hexdigest(), jpeg)
