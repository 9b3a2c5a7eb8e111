"""The documented example: a classifier on the features of a few photos."""

import subprocess
import sys
from pathlib import Path

import tensorflow as tf

from conversion.build import main
from conversion.golden import read_photos, score
from conversion.load import select, serving_session
from conversion.tests.conftest import PHOTOS

SCRIPT = Path(__file__).parents[2] / "samples" / "transfer-learning" / "train_head.py"


def test_a_head_trained_on_a_few_photos_knows_others(saved_model: Path, tmp_path: Path) -> None:
    for photo in PHOTOS.glob("*.jpg"):
        pixels = tf.io.decode_jpeg(photo.read_bytes())
        (tmp_path / "photos" / photo.stem).mkdir(parents=True)
        for number, share in enumerate((0.9, 0.8, 0.7)):
            crop = tf.image.central_crop(pixels, share)
            (tmp_path / "photos" / photo.stem / f"{number}.jpg").write_bytes(tf.io.encode_jpeg(crop).numpy())
    head = tmp_path / "own.npz"
    arguments = ["--model", saved_model, "--photos", tmp_path / "photos", "--out", head]
    trained = subprocess.run([sys.executable, SCRIPT, *arguments], check=True, capture_output=True, text=True)
    assert "3 classes, 9 of 9 photos right" in trained.stdout
    model = tmp_path / "model"
    assert main(["efficientnet-lite0", "--head", str(head), "--out", str(model)]) == 0
    labels = (model / "assets.extra" / "labels.txt").read_text().splitlines()
    with serving_session(model) as session:
        selection = select(model, "serving_default", "images", ["output_alias"])
        goldens = score(session, selection, read_photos(PHOTOS))
    told = {golden.photo.name: labels[golden.rows["output_alias"].argmax()] for golden in goldens}
    assert told == {f"{label}.jpg": label for label in labels}
