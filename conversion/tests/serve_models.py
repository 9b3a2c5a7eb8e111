"""Makes models, converts them by the job, and writes what TensorFlow itself answers to images: what test/e2e serves.

    python -m conversion.tests.serve_models OUT NAME…

Under ``OUT/NAME``: ``saved`` (the SavedModel), ``converted``, the images, and ``answers.json`` about them; of a broken
model ``saved`` only.
"""

import json
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import tensorflow as tf

from conversion import job
from conversion.build import build
from conversion.featurizers.export import export_saved_model
from conversion.featurizers.request import BuildRequest
from conversion.golden import fed_for
from conversion.load import ENCODED, Selection, select, serving_session, tensors_of
from conversion.load_failure import reason_of
from conversion.photo import Photo
from conversion.tensors import with_tensors
from conversion.tests import small_networks, toy_models
from conversion.tests.broken_models import BROKEN
from conversion.tests.conftest import PHOTOS
from conversion.tests.image_kinds import image_kinds

DECODERS: Mapping[str, toy_models.Preprocess] = {
    "decode-jpeg": lambda image: tf.io.decode_jpeg(image, 3),
    "decode-png": lambda image: tf.io.decode_png(image, 3),
    "decode-image": lambda image: tf.io.decode_image(image, 3, expand_animations=False),
    "decode-image-as-floats": lambda image: tf.io.decode_image(image, 3, tf.float32, expand_animations=False),
}
TENSORS: Mapping[str, Callable[[Path], Path]] = {
    "float-tensors": lambda out: toy_models.save_tensors(out),
    "uint8-tensors": lambda out: toy_models.save_tensors(out, tf.uint8),
    "float-tensors-tf1": lambda out: toy_models.save_tensors_tf1(out),
    "uint8-tensors-tf1": lambda out: toy_models.save_tensors_tf1(out, tf.uint8),
}


OTHERS: Mapping[str, Callable[[Path], object]] = {
    "one-jpeg": toy_models.save_single,
    "mapped-tf1": toy_models.save_tf1,
    "two-outputs": toy_models.save_two_outputs,
    "keras-export": lambda out: small_networks.resnet(None, small_networks.CLASSES).export(out, verbose=False),
    "efficientnet-lite0": lambda out: build(BuildRequest("efficientnet-lite0"), out),
}


def save(name: str, out: Path) -> None:
    """Writes the SavedModel of that name."""
    if name in TENSORS:
        TENSORS[name](out)
    elif name in DECODERS:
        decode = DECODERS[name]
        # It answers with its pixels: nothing of a wrong one is lost.
        toy_models.save_mapped(
            out,
            lambda image: toy_models.resize(tf.cast(decode(image), tf.float32)),
            lambda images: tf.reshape(images, [-1, 3 * toy_models.SIZE**2]),
        )
    elif name in OTHERS:
        OTHERS[name](out)
    else:
        export_saved_model(name, small_networks.blueprint(name), out)


def images_for(name: str) -> dict[str, bytes]:
    """Images that the conversion has not seen: of every kind where decoding is the matter, else crops of photos."""
    if name in DECODERS:
        return image_kinds()
    pixels = {file.stem: tf.io.decode_jpeg(file.read_bytes(), 3) for file in sorted(PHOTOS.glob("*.jpg"))}
    return {name: tf.io.encode_jpeg(tf.image.central_crop(image, 0.8)).numpy() for name, image in pixels.items()}


def answer_of(session: tf.compat.v1.Session, selection: Selection, photo: Photo) -> dict[str, Any]:
    """What TensorFlow gives for one image: the outputs, or why it refuses."""
    tensors = {output.key: output.tensor for output in selection.outputs}
    try:
        values = session.run(tensors, {selection.input.tensor: fed_for(session, selection, photo)})
    except tf.errors.OpError as error:
        return {"error": reason_of(error)}
    return {"outputs": {key: value[0].flatten().tolist() for key, value in values.items()}}


def serve(name: str, out: Path) -> None:
    """Makes all of one model."""
    saved = out / "saved"
    save(name, saved)
    inputs, outputs = tensors_of(saved, "serving_default")
    selection = select(saved, "serving_default", inputs[0].key, [output.key for output in outputs])
    named = [word for output in outputs for word in ("--output", output.key)]
    arguments = ["--model", saved, "--photos", PHOTOS, "--input", inputs[0].key, *named, "--out", out / "converted"]
    if job.main([str(argument) for argument in arguments]) != 0:
        raise SystemExit(f"{name} was not converted")
    photos = [Photo(kind, kind, content) for kind, content in images_for(name).items()]
    takes_files = selection.input.dtype == ENCODED
    photos = photos if takes_files else with_tensors(photos, selection.input)
    answers = []
    with serving_session(saved) as session:
        for photo in photos:
            (out / photo.name).write_bytes(photo.jpeg if photo.tensor is None else photo.tensor.tobytes())
            answers.append({"image": photo.name} | answer_of(session, selection, photo))
    tensor = {} if takes_files else {"tensor": {"dtype": inputs[0].dtype, "shape": inputs[0].shape[1:]}}
    (out / "answers.json").write_text(json.dumps({"input": inputs[0].key, "answers": answers} | tensor))


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        for model in sys.argv[2:]:
            directory = Path(sys.argv[1], model)
            directory.mkdir(parents=True)
            if model in BROKEN:
                BROKEN[model](directory / "saved")
            else:
                serve(model, directory)
