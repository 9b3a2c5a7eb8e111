"""Writes SavedModels whose bytes depend on the model only: the digest of the directory is the model's identity."""

import json
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from conversion.featurizers.served_model import Blueprint, ServedModel

LABELS = "assets.extra/labels.txt"
TAGS = "assets.extra/tags.json"


def export_saved_model(name: str, blueprint: Blueprint, out: Path) -> dict[str, str]:
    """Saves the model with its labels, one a line, and its tags as extra assets; returns the tags."""
    model = ServedModel(name, blueprint)
    tf.saved_model.save(model, str(out), signatures=model.signatures())
    _canonicalise(out)
    (out / LABELS).parent.mkdir()
    if blueprint.labels is not None:
        (out / LABELS).write_text("".join(f"{label}\n" for label in blueprint.labels), encoding="utf-8")
    tags = {
        "featurizer": name,
        "featurizer-version": blueprint.version,
        "weights": blueprint.weights,
        "classifier": blueprint.head,
    }
    (out / TAGS).write_text(json.dumps(tags, indent=2) + "\n", encoding="utf-8")
    return tags


def _canonicalise(saved_model: Path) -> None:
    """Takes out what differs from run to run: the order of map entries, and the fingerprint with its random UUID."""
    (saved_model / "fingerprint.pb").unlink(missing_ok=True)
    (saved_model / "assets").rmdir()
    graph = saved_model / "saved_model.pb"
    parsed = SavedModel.FromString(graph.read_bytes())
    graph.write_bytes(parsed.SerializeToString(deterministic=True))
