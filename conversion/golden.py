"""What TensorFlow itself answers to photos: the truth that the conversion and the scoring server are held against."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from conversion.cut import DCT_METHOD, DecodeOp
from conversion.errors import ConversionError
from conversion.load import Selection
from conversion.load_failure import reason_of
from conversion.photo import Photo
from conversion.progress import say

JPEG_MAGIC = b"\xff\xd8"
CMYK_COMPONENTS = 4


@dataclass(frozen=True)
class Golden:
    """A photo and, by output key, the one row (float32) that TensorFlow gave for it."""

    photo: Photo
    rows: dict[str, NDArray[np.float32]]


def read_photos(directory: Path) -> list[Photo]:
    """The photos of a directory, by digest; a file named by a SHA-256 must have it.

    Raises:
        ConversionError: there is none, one is not a JPEG, or one differs from its name.
    """
    photos = {}
    for file in sorted(file for file in directory.glob("*") if file.is_file()):
        jpeg = file.read_bytes()
        digest = hashlib.sha256(jpeg).hexdigest()
        if re.fullmatch("[0-9a-f]{64}", file.stem) and file.stem != digest:
            raise ConversionError("PhotoDamaged", f"photo {file.name} has the digest {digest}", "upload it again")
        if not jpeg.startswith(JPEG_MAGIC):
            raise ConversionError("PhotoNotJpeg", f"photo {file.name} is not a JPEG", "give JPEGs in smoke.photos")
        photos[digest] = Photo(file.name, digest, jpeg)
    if not photos:
        raise ConversionError(
            "NoPhotos", f"there are no photos in {directory.name}/", "give at least one in smoke.photos"
        )
    return [photos[digest] for digest in sorted(photos)]


def check_colours(photos: Sequence[Photo]) -> None:
    """Not to be called within a graph.

    Raises:
        ConversionError: TensorFlow decodes a photo, and the scoring server does not.
    """
    for photo in photos:
        try:
            components = int(tf.io.extract_jpeg_shape(photo.jpeg)[2])
        except tf.errors.OpError:
            continue  # the model itself has the last word on what is damaged
        if components == CMYK_COMPONENTS:
            raise ConversionError(
                "PhotoNotRgb", f"photo {photo.name} is a CMYK JPEG, which is not scored", "convert it to RGB"
            )


def fed_for(session: tf.compat.v1.Session, selection: Selection, photo: Photo) -> Any:
    """What the model is fed for one photo: a batch of one, or a scalar where it takes nothing else."""
    fed = photo.jpeg if photo.tensor is None else photo.tensor
    return fed if session.graph.get_tensor_by_name(selection.input.tensor).shape.rank == 0 else [fed]


def score(session: tf.compat.v1.Session, selection: Selection, photos: Sequence[Photo]) -> list[Golden]:
    """Runs the loaded model on each photo by itself.

    Raises:
        ConversionError: TensorFlow refuses a photo, or gives for it what cannot be a row; the message names it.
    """
    tensors = {output.key: output.tensor for output in selection.outputs}
    goldens = []
    for photo in photos:
        try:
            answer = session.run(tensors, {selection.input.tensor: fed_for(session, selection, photo)})
        except tf.errors.OpError as error:
            raise ConversionError(
                "PhotoRefused", f"the model refuses photo {photo.name}: {reason_of(error)}", "give another photo"
            ) from error
        rows = {key: np.asarray(value, "<f4") for key, value in answer.items()}
        for key, row in rows.items():
            if row.shape[:1] != (1,):
                raise ConversionError(
                    "UnsupportedOutput",
                    f"output '{key}' has the shape {list(row.shape)} for one image: it does not count images",
                    "leave it out of model.outputs, or give it the batch as its first dimension",
                )
            if not np.isfinite(row).all():
                raise ConversionError(
                    "OutputNotFinite",
                    f"the model itself gives NaN or infinity in output '{key}' for photo {photo.name}",
                    "check the weights, and the preprocessing that the model was exported with",
                )
        goldens.append(Golden(photo, rows))
    return goldens


def score_willing(session: tf.compat.v1.Session, selection: Selection, photos: Sequence[Photo]) -> list[Golden]:
    """The same for photos that the model may refuse."""
    goldens = []
    for photo in photos:
        try:
            goldens += score(session, selection, [photo])
        except ConversionError as error:
            say(f"without photo {photo.name}: {error.message}")
    return goldens


def decode(op: DecodeOp, jpeg: bytes) -> NDArray[np.uint8]:
    """Pixels (uint8 ``[height, width, 3]``) as the graph's own op gives them."""
    if op.type == "DecodeJpeg":
        pixels = tf.io.decode_jpeg(jpeg, channels=3, dct_method=op.dct_method)
    elif op.type == "DecodePng":
        pixels = tf.io.decode_png(jpeg, channels=3)
    else:
        pixels = tf.io.decode_image(jpeg, channels=3, expand_animations=False)
    array: NDArray[np.uint8] = pixels.numpy()
    return array


def check_decoding(op: DecodeOp, photos: Sequence[Photo]) -> None:
    """Makes sure that the op gives the pixels that the scoring server's decoder gives, bit for bit.

    Raises:
        ConversionError: it does not.
    """
    for photo in photos:
        if not np.array_equal(decode(op, photo.jpeg), tf.io.decode_jpeg(photo.jpeg, 3, dct_method=DCT_METHOD)):
            raise ConversionError(
                "UnsupportedDecode",
                f"{op.type} '{op.name}' does not decode photo {photo.name} by {DCT_METHOD}",
                "use tf.io.decode_jpeg",
            )
