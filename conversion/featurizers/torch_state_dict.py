"""Reads a state dict in PyTorch's file format from before 1.6, without PyTorch.

Layout: pickled magic number, protocol version and system information; the pickled object, whose tensors refer to
storages by key; the pickled list of keys; then each storage as an int64 count and its raw little-endian elements.
"""

import pickle
import struct
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
STORAGE_TYPES = {
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "DoubleStorage": "<f8",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
}


@dataclass(frozen=True)
class _View:
    """A tensor as the pickle describes it: a strided view on a storage that is read later."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _rebuild_tensor(storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


class _StateDictUnpickler(pickle.Unpickler):
    """Resolves only the names that a plain state dict holds: a pickle could otherwise run any code."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storage_types: dict[str, np.dtype[Any]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_TYPES:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not part of a state dict")

    def persistent_load(self, pid: Any) -> str:
        kind, storage_type, key, *_ = pid
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown persistent object {kind!r}")
        self.storage_types[key] = np.dtype(STORAGE_TYPES[storage_type])
        return str(key)


class _PlainUnpickler(pickle.Unpickler):
    """For the header and the key list, which hold no classes."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} does not belong here")


def load_state_dict(path: Path) -> dict[str, NDArray[Any]]:
    """Parameter name to array, in the file's order.

    Raises:
        ValueError: the file is not in this format.
        pickle.UnpicklingError: it holds more than a plain state dict.
    """
    with path.open("rb") as file:
        if _PlainUnpickler(file).load() != MAGIC or _PlainUnpickler(file).load() != PROTOCOL:
            raise ValueError(f"{path} is not a state dict in PyTorch's format from before 1.6")
        _PlainUnpickler(file).load()
        unpickler = _StateDictUnpickler(file)
        views: dict[str, _View] = unpickler.load()
        storages = {key: _read_storage(file, unpickler.storage_types[key]) for key in _PlainUnpickler(file).load()}
    return {name: _materialise(view, storages[view.storage]) for name, view in views.items()}


def _read_storage(file: BinaryIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)


def _materialise(view: _View, storage: NDArray[Any]) -> NDArray[Any]:
    strides = [stride * storage.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides).copy()
