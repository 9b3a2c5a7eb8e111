"""Builds a featurizer as a SavedModel: ``python -m conversion.build NAME --out DIR [--json]``."""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from pathlib import Path

from conversion.featurizers import FEATURIZERS, builder


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m conversion.build", description="Build an image model as a SavedModel."
    )
    parser.add_argument("name", choices=sorted(FEATURIZERS))
    parser.add_argument("--out", type=Path, required=True, help="directory to write; replaced when it exists")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    started = time.monotonic()
    build(options.name, options.out)
    result = {
        "name": options.name,
        "path": str(options.out),
        "digest": tree_digest(options.out),
        "bytes": sum(file.stat().st_size for file in options.out.rglob("*") if file.is_file()),
        "seconds": round(time.monotonic() - started, 1),
    }
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{result['name']} → {result['path']} ({result['digest'][:19]}, {result['seconds']} s)")
    return 0


def build(name: str, out: Path) -> None:
    """Writes the SavedModel beside ``out`` and moves it there, so that ``out`` is either whole or absent."""
    partial = out.with_name(f"{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    builder(name)(partial)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)


def tree_digest(directory: Path) -> str:
    """Digest of a directory's content: over ``<path>\\0<file digest>\\n`` of every file, sorted by path."""
    lines = hashlib.sha256()
    for file in sorted(file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()):
        digest = hashlib.sha256((directory / file).read_bytes()).hexdigest()
        lines.update(f"{file}\0sha256:{digest}\n".encode())
    return f"sha256:{lines.hexdigest()}"


if __name__ == "__main__":
    sys.exit(main())
