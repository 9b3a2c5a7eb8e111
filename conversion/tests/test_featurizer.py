"""The sample model as TensorFlow Serving would see it."""

import os
import subprocess
import sys
from pathlib import Path

from conversion.build import tree_digest
from conversion.golden import read_photos, score
from conversion.load import select, serving_session
from conversion.tests.conftest import PHOTOS

ROOT = Path(__file__).parents[2]


def test_serving_loader_gives_the_known_classes(saved_model: Path) -> None:
    selection = select(saved_model, "serving_default", "images", ["output_alias"])
    with serving_session(saved_model) as session:
        best = {
            golden.photo.name: int(golden.rows["output_alias"].argmax())
            for golden in score(session, selection, read_photos(PHOTOS))
        }
    assert best == {"chelsea.jpg": 282, "coffee.jpg": 967, "rocket.jpg": 657}


def test_labels_stand_at_the_index_of_their_class(saved_model: Path) -> None:
    labels = (saved_model / "assets.extra" / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert len(labels) == 1000
    assert [labels[index] for index in (0, 282, 657, 967)] == ["tench", "tiger cat", "missile", "espresso"]


def test_another_process_builds_the_same_bytes(saved_model: Path, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "conversion.build", "efficientnet-lite0", "--out", str(tmp_path / "again")]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
    assert tree_digest(tmp_path / "again") == tree_digest(saved_model)
