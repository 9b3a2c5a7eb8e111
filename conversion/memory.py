"""Watches how much memory the process takes: a clear failure instead of being killed when the machine has no more."""

import os
import re
import resource
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conversion.errors import ConversionError

DEFAULT_LIMIT = 6 * 10**9
"""In bytes. The smallest machine that Slipway asks Azure ML for has 16 GB, and takes a part for itself."""
INTERVAL = 0.05
"""Seconds between two looks."""
STATUS = Path("/proc/self/status")
KIBIBYTE = 1024
UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
"""Of Kubernetes' quantities."""


def parse_bytes(quantity: str) -> int:
    """Bytes of a quantity as Kubernetes writes it: ``6G``, ``512Mi``.

    Raises:
        ValueError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(k|M|G|Ki|Mi|Gi)?", quantity)
    if not match:
        raise ValueError(f"'{quantity}' is not a quantity such as 6G or 512Mi")
    return round(float(match[1]) * UNITS[match[2] or ""])


def peak_bytes() -> int:
    """The most memory that the process has had at once (its resident set)."""
    # Where there is /proc, it tells of this program only; rusage begins with the program that started it.
    if STATUS.is_file() and (match := re.search(r"VmHWM:\s+(\d+) kB", STATUS.read_text())):
        return int(match[1]) * KIBIBYTE
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * KIBIBYTE


@contextmanager
def memory_limit(limit: int, scratch: Path) -> Iterator[None]:
    """Ends the process with exit code 2 as soon as it takes more than ``limit`` bytes; ``scratch`` goes with it.

    Raises:
        ConversionError: it took more between two looks.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(INTERVAL):
            if peak_bytes() > limit:
                shutil.rmtree(scratch, ignore_errors=True)
                print(_exceeded(limit), file=sys.stderr, flush=True)
                os._exit(2)  # whatever allocates is in native code, where no exception reaches it

    watcher = threading.Thread(target=watch, name="memory", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    if peak_bytes() > limit:
        raise _exceeded(limit)


def _exceeded(limit: int) -> ConversionError:
    return ConversionError(
        "MemoryExceeded",
        f"the conversion took {peak_bytes() / 10**9:.2f} GB of memory; {limit / 10**9:.2f} GB are allowed",
        "raise conversion.maxMemory, on a machine that has as much",
    )
