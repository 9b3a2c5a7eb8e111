"""Small images of every kind that a caller may send."""

import numpy as np
import tensorflow as tf

SIZE = (33, 47)
"""Height and width: odd, so that chroma subsampling and blocks of 8 do not fit."""
TURNED = bytes.fromhex("ffe100224578696600004d4d002a00000008000101120003000000010006000000000000")
"""EXIF segment that asks for a quarter turn."""
GIF = bytes.fromhex("47494638396101000100800000ff000000000021f90400000000002c00000000010001000002024401003b")


def image_kinds() -> dict[str, bytes]:
    """By name. Not to be called within a graph."""
    pixels = np.random.default_rng(0).integers(0, 255, (*SIZE, 3)).astype(np.uint8)
    # Noise has no structure that a wrong decoder would show; a slope has.
    pixels = pixels // 4 + np.linspace(0, 190, SIZE[1]).astype(np.uint8)[None, :, None]
    baseline = _jpeg(pixels)
    return {
        "baseline": baseline,
        "progressive": _jpeg(pixels, progressive=True),
        "grayscale": _jpeg(pixels[:, :, :1], format="grayscale"),
        "poor": _jpeg(pixels, quality=5),
        "one-pixel": _jpeg(pixels[:1, :1]),
        "turned": baseline[:2] + TURNED + baseline[2:],
        "truncated": baseline[: len(baseline) // 2],
        "cmyk": cmyk_jpeg(),
        "png": tf.io.encode_png(pixels).numpy(),
        "gif": GIF,
        "text": b"no image",
    }


def cmyk_jpeg() -> bytes:
    """Eight by eight pixels of one colour: every component is one block whose coefficients are all zero."""
    components = range(1, 5)
    frame = bytes([8, 0, 8, 0, 8, 4, *(value for number in components for value in (number, 0x11, 0))])
    scan = bytes([4, *(value for number in components for value in (number, 0)), 0, 63, 0])
    one_code = bytes([1, *[0] * 15, 0])
    segments = [
        (0xDB, bytes([0, *[1] * 64])),
        (0xC0, frame),
        (0xC4, b"\x00" + one_code),
        (0xC4, b"\x10" + one_code),
        (0xDA, scan),
    ]
    written = b"".join(bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body for marker, body in segments)
    return b"\xff\xd8" + written + b"\x00" + b"\xff\xd9"


def _jpeg(pixels: np.ndarray, **options: object) -> bytes:
    jpeg: bytes = tf.io.encode_jpeg(pixels, **options).numpy()
    return jpeg
