"""Takes the values of an image from a photo as the scoring server does, to hold that against the graph."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from conversion.geometry import SHAPE
from conversion.onnx_export import PIXELS
from conversion.parity import session
from conversion.progress import say
from conversion.sampling import OtherError, Sampling, find_sampling

SIZES = ((1, 1), (3, 5), (97, 300), (224, 224), (256, 400), (451, 300), (640, 427), (1200, 900))
"""Heights and widths of photos that are tried: smaller than what networks take, equal to it, larger, and oblong."""
TOLERANCE = 1e-4
"""As a share of what a channel can be. Rounding leaves 1e-6; another way to resize is off by a percent at least."""
SEED = 0
LARGEST = 255.0

Vector = NDArray[np.float32]


def sampling_of(preprocess: Path) -> Sampling | None:
    """What the graph does, if it is sampling and nothing else; says what it is otherwise."""
    try:
        sampling = find_sampling(onnx.load(preprocess))
    except OtherError as other:
        say(f"the preprocessing is more than a bilinear resize, a crop and a scale: it has {other}")
        return None
    if agrees(sampling, session(preprocess)):
        return sampling
    say("the preprocessing does not give what its resize, crop and scale give")
    return None


def agrees(sampling: Sampling, preprocess: onnxruntime.InferenceSession) -> bool:
    """Whether it gives what the graph gives, for photos of many sizes."""
    generator = np.random.default_rng(SEED)
    geometry = onnxruntime.InferenceSession(sampling.geometry.SerializeToString(), providers=["CPUExecutionProvider"])
    range_of_values = LARGEST * float(np.abs(sampling.scale).max())
    for height, width in SIZES:
        pixels = generator.integers(0, 256, (height, width, 3), np.uint8)
        resized, corner = geometry.run(["resized", "corner"], {SHAPE: np.array(pixels.shape, np.int64)})
        if (corner < 0).any() or (corner + sampling.size > resized).any():
            continue
        (image,) = preprocess.run(None, {PIXELS: pixels})
        difference = np.abs(image - sample(sampling, pixels, resized, corner)).max()
        if not difference <= TOLERANCE * range_of_values:
            return False
    return True


def sample(sampling: Sampling, pixels: NDArray[np.uint8], resized: Vector, corner: Vector) -> Vector:
    """The image: float32 ``[*sampling.size, 3]``."""
    (top, bottom, y), (left, right, x) = (
        _neighbours(sampling.coordinates, *axis)
        for axis in zip(pixels.shape[:2], resized, corner, sampling.size, strict=True)
    )
    x, y = x[None, :, None], y[:, None, None]
    above, below = (
        pixels[row][:, left] + (pixels[row][:, right].astype(np.float32) - pixels[row][:, left]) * x
        for row in (top, bottom)
    )
    values = above + (below - above) * y
    scaled: Vector = values[..., list(sampling.channels)] * np.float32(sampling.scale) + np.float32(sampling.offset)
    return scaled


def _neighbours(
    coordinates: str, photo: int, resized: int, corner: int, size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Vector]:
    """Along one axis: between which pixels each place lies, and how far from the first. Rounds as onnxruntime does."""
    places = np.arange(corner, corner + size, dtype=np.float32)
    scale = np.float32(resized) / np.float32(photo)
    half = np.float32(0.5)
    if coordinates == "half_pixel":
        places = (places + half) / scale - half
    elif coordinates == "asymmetric":
        places = places / scale
    else:
        places = places * np.float32(photo - 1) / np.float32(max(1, resized - 1))
    places = np.clip(places, 0, photo - 1)
    first = places.astype(np.intp)
    return first, np.minimum(first + 1, photo - 1), (places - first).astype(np.float32)
