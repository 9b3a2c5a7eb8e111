"""The default boxes of SSD300: where a detector looks, and how its offsets become boxes (Liu et al. 2016, 2.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

CENTRE_VARIANCE, SIZE_VARIANCE = 0.1, 0.2
"""Scales of the offsets of centre and size, as trained SSD networks have them."""


@dataclass(frozen=True)
class Grid:
    """A feature map on which boxes are predicted."""

    cells: int
    """Along each side."""
    smallest: float
    """Side of the square box, as a share of the image."""
    largest: float
    """Side of the smallest box on the next grid."""
    ratios: tuple[int, ...]
    """Aspect ratios beside 1; each stands for its inverse too."""

    @property
    def boxes_per_cell(self) -> int:
        """The two squares, and two boxes for each ratio."""
        return 2 + 2 * len(self.ratios)


GRIDS: Sequence[Grid] = (
    Grid(38, 0.1, 0.2, (2,)),
    Grid(19, 0.2, 0.37, (2, 3)),
    Grid(10, 0.37, 0.54, (2, 3)),
    Grid(5, 0.54, 0.71, (2, 3)),
    Grid(3, 0.71, 0.88, (2,)),
    Grid(1, 0.88, 1.05, (2,)),
)


def default_boxes() -> NDArray[np.float32]:
    """``[8732, 4]``: centre y, centre x, height and width, as shares of the image, cell by cell of each grid."""
    rows = [
        ((row + 0.5) / grid.cells, (column + 0.5) / grid.cells, height, width)
        for grid in GRIDS
        for row, column in product(range(grid.cells), repeat=2)
        for height, width in _sizes(grid)
    ]
    return np.array(rows, np.float32)


def _sizes(grid: Grid) -> list[tuple[float, float]]:
    between = (grid.smallest * grid.largest) ** 0.5
    sizes = [(grid.smallest, grid.smallest), (between, between)]
    for ratio in grid.ratios:
        long, short = grid.smallest * ratio**0.5, grid.smallest / ratio**0.5
        sizes += [(short, long), (long, short)]
    return sizes


def decode_boxes(offsets: tf.Tensor) -> tf.Tensor:
    """Offsets to the default boxes (``[N, 8732, 4]``: y, x, height, width) to ymin, xmin, ymax, xmax in 0..1."""
    defaults = default_boxes()
    centres, sizes = defaults[:, :2], defaults[:, 2:]
    centre = offsets[..., :2] * (CENTRE_VARIANCE * sizes) + centres
    half = tf.exp(offsets[..., 2:] * SIZE_VARIANCE) * (sizes / 2)
    return tf.clip_by_value(tf.concat([centre - half, centre + half], -1), 0.0, 1.0)
