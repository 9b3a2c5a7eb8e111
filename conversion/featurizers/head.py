"""A classifier of one's own on a featurizer: one dense layer and the names of its classes, as a NumPy archive."""

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conversion.errors import BuildError


@dataclass(frozen=True)
class Head:
    """Features times ``kernel`` plus ``bias``, then a softmax."""

    kernel: NDArray[np.float32]
    """``[features, classes]``"""
    bias: NDArray[np.float32]
    """``[classes]``"""
    labels: tuple[str, ...] | None
    digest: str
    """Of the file it was read from, or what else it is known by in the model's tags."""


def read_head(file: Path) -> Head:
    """Reads ``kernel``, ``bias`` and, if there are any, ``labels`` of an ``.npz`` file.

    Raises:
        BuildError: the file is not there, is damaged, or its arrays do not fit each other.
    """
    try:
        content = file.read_bytes()
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise BuildError("HeadInvalid", f"{file} cannot be read: {error}", "write it with numpy.savez") from error
    missing = {"kernel", "bias"} - arrays.keys()
    if missing:
        raise _invalid(file, f"it has no {' and no '.join(sorted(missing))}")
    kernel, bias = (_floats(file, name, arrays[name]) for name in ("kernel", "bias"))
    if kernel.ndim != 2 or bias.shape != kernel.shape[1:]:
        raise _invalid(file, f"kernel has the shape {list(kernel.shape)} and bias {list(bias.shape)}")
    labels = tuple(str(label) for label in arrays["labels"]) if "labels" in arrays else None
    if labels is not None and len(labels) != len(bias):
        raise _invalid(file, f"it has {len(labels)} labels for {len(bias)} classes")
    return Head(kernel, bias, labels, f"sha256:{hashlib.sha256(content).hexdigest()}")


def _floats(file: Path, name: str, array: NDArray[Any]) -> NDArray[np.float32]:
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise _invalid(file, f"{name} holds something that is not a finite number")
    return array.astype(np.float32)


def _invalid(file: Path, reason: str) -> BuildError:
    return BuildError(
        "HeadInvalid",
        f"{file} is no classifier: {reason}",
        "save kernel [features, classes], bias [classes] and, if you like, labels [classes]",
    )
