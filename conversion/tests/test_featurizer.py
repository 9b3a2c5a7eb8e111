"""The sample model as TensorFlow Serving would see it."""

from pathlib import Path

from conversion.build import tree_digest
from conversion.golden import read_photos, score
from conversion.load import select, serving_session
from conversion.tests.conftest import PHOTOS, built_by_a_process


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
    again = built_by_a_process(tmp_path / "again", hash_seed="1")
    assert tree_digest(again) == tree_digest(saved_model)
