"""A photo."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray


@dataclass(frozen=True)
class Photo:
    """A JPEG and its digest (64 hexadecimal digits)."""

    name: str
    digest: str
    jpeg: bytes
    tensor: NDArray[Any] | None = field(default=None, compare=False)
    """``[height, width, channels]`` made of it, for a model that takes no JPEGs; None for one that does."""


ImageOf = Callable[[Photo], NDArray[Any]]
"""Gives the image that a network takes for a photo: ``[height, width, channels]``."""
