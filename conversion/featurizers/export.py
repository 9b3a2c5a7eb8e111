"""Writes SavedModels whose bytes depend on the model only: the digest of the directory is the model's identity."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

LABELS = "assets.extra/labels.txt"


def export_saved_model(model: tf.Module, signature: Any, labels: Sequence[str], out: Path) -> None:
    """Saves ``model`` with ``signature`` as ``serving_default``, and ``labels`` one a line as an extra asset."""
    tf.saved_model.save(model, str(out), signatures={"serving_default": signature})
    _canonicalise(out)
    (out / LABELS).parent.mkdir()
    (out / LABELS).write_text("".join(f"{label}\n" for label in labels), encoding="utf-8")


def _canonicalise(saved_model: Path) -> None:
    """Takes out what differs from run to run: the order of map entries, and the fingerprint with its random UUID."""
    (saved_model / "fingerprint.pb").unlink(missing_ok=True)
    (saved_model / "assets").rmdir()
    graph = saved_model / "saved_model.pb"
    parsed = SavedModel.FromString(graph.read_bytes())
    graph.write_bytes(parsed.SerializeToString(deterministic=True))
