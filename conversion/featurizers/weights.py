"""Puts weights into a Keras model: published ones, those of a file, or random ones."""

import hashlib
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from conversion.errors import BuildError
from conversion.featurizers.request import IMAGENET, RANDOM, SEED, BuildRequest

Network = Callable[[str | None], Any]
"""Makes the Keras model with ``imagenet`` weights, or with random ones when given None."""

KERAS_FILES = (".keras", ".h5", ".hdf5")
READ_BYTES = 1 << 20


def with_weights(request: BuildRequest, network: Network) -> tuple[Any, str]:
    """The Keras model with the weights that are asked for, and how a model's tags name them.

    Raises:
        BuildError: they cannot be had, are damaged, or belong to another network.
    """
    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(SEED)
    if request.weights == IMAGENET:
        return _published(request, network), IMAGENET
    model = network(None)
    file = request.weights_file()
    if file is None:
        return model, RANDOM
    (_load_keras if file.name.endswith(KERAS_FILES) else _load_checkpoint)(model, file)
    return model, f"{file.name} {digest_of_weights(file)[:19]}"


def digest_of_weights(file: Path) -> str:
    """Digest of a weights file, or of the files of a checkpoint one after the other."""
    digest = hashlib.sha256()
    for part in [file] if file.is_file() else sorted(file.parent.glob(f"{file.name}.*")):
        with part.open("rb") as stream:
            for block in iter(partial(stream.read, READ_BYTES), b""):
                digest.update(block)
    return f"sha256:{digest.hexdigest()}"


def _published(request: BuildRequest, network: Network) -> Any:
    try:
        return network(IMAGENET)
    except OSError as error:
        raise _damaged(Path(request.name), error) from error
    except Exception as error:  # Keras raises no narrower type when it cannot download
        if "URL fetch failure" not in str(error):
            raise
        raise BuildError(
            "WeightsUnavailable",
            f"Keras could not download the ImageNet weights of {request.name}: {error}",
            "without a connection: download that address on another machine and give the file with --weights FILE, or"
            " take --weights none",
        ) from error


def _load_keras(model: Any, file: Path) -> None:
    try:
        model.load_weights(file)
    except (ValueError, KeyError) as error:
        raise _mismatch(model, file, error) from error
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:
        raise _damaged(file, error) from error


def _load_checkpoint(model: Any, file: Path) -> None:
    """Reads a checkpoint that ``tf.train.Checkpoint(model=…)`` wrote, by its prefix or its ``.index`` file."""
    prefix = file.with_name(file.name.removesuffix(".index"))
    if not prefix.with_name(f"{prefix.name}.index").is_file():
        raise BuildError(
            "WeightsUnsupported",
            f"{file.name} is neither a Keras file ({', '.join(KERAS_FILES)}) nor a TensorFlow checkpoint",
            "save the weights with Keras: model.save_weights('name.weights.h5')",
        )
    try:
        tf.train.load_checkpoint(str(prefix))
        status = tf.train.Checkpoint(model=model).read(str(prefix))
        status.assert_existing_objects_matched()
    except (AssertionError, ValueError) as error:
        raise _mismatch(model, file, error) from error
    except (tf.errors.OpError, RuntimeError, IndexError) as error:  # IndexError: data that ends too early
        raise _damaged(file, error) from error


def _mismatch(model: Any, file: Path, error: Exception) -> BuildError:
    reason = str(error).partition("\n")[0]
    return BuildError(
        "WeightsMismatch",
        f"the weights in {file.name} are not those of {model.name}: {reason}",
        "give weights of this architecture, with the same number of classes",
    )


def _damaged(file: Path, error: Exception) -> BuildError:
    reason = str(error).partition("\n")[0]
    return BuildError("WeightsDamaged", f"{file.name} cannot be read: {reason}", "the file is cut short; get it again")
