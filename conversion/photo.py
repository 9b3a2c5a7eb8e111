"""A photo."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Photo:
    """A JPEG and its digest (64 hexadecimal digits)."""

    name: str
    digest: str
    jpeg: bytes
