"""Builds an image model as a SavedModel.

    python -m conversion.build NAME --out DIR [--weights imagenet|none|FILE] [--classes N] [--head FILE.npz] [--json]

A failure ends with one line on standard error, ``slipway: error=CODE message=… fix=…``, and exit code 2.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

from conversion.errors import BuildError
from conversion.featurizers import FEATURIZERS, designer

if TYPE_CHECKING:
    from conversion.featurizers.request import BuildRequest


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m conversion.build", description="Build an image model as a SavedModel."
    )
    parser.add_argument("name", choices=sorted(FEATURIZERS))
    parser.add_argument("--out", type=Path, required=True, help="directory to write; replaced when it exists")
    parser.add_argument("--weights", default="imagenet", help="imagenet (default), none (random), or a file")
    parser.add_argument("--classes", type=int, help="classes of the default classifier; default: those of the weights")
    parser.add_argument("--head", type=Path, help=".npz file with a classifier of your own on the features")
    parser.add_argument("--json", action="store_true", help="print the result as one JSON object")
    options = parser.parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # Keras keeps what it downloads, and its settings, in the home directory otherwise.
    os.environ.setdefault("KERAS_HOME", str(Path(os.environ.get("SLIPWAY_HOME", ".slipway"), "cache", "keras")))
    try:
        # Keras prints the progress of a download where the result belongs.
        with redirect_stdout(sys.stderr):
            result = _build(options)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(result) if options.json else _text(result))
    return 0


def build(request: "BuildRequest", out: Path) -> dict[str, Any]:
    """Writes the SavedModel beside ``out`` and moves it there, so that ``out`` is either whole or as it was.

    Returns what there is to know about it.

    Raises:
        BuildError: it cannot be built as asked.
    """
    from conversion.featurizers.description import describe
    from conversion.featurizers.export import export_saved_model

    partial = out.with_name(f"{out.name}.{os.getpid()}.partial")
    partial.mkdir(parents=True)
    try:
        blueprint = designer(request.name)(request)
        tags = export_saved_model(request.name, blueprint, partial)
        description = describe(partial, blueprint)
        shutil.rmtree(out, ignore_errors=True)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return {"name": request.name, **description, "tags": tags, "path": str(out), "digest": tree_digest(out)}


def tree_digest(directory: Path) -> str:
    """Digest of a directory's content: over ``<path>\\0<file digest>\\n`` of every file, sorted by path."""
    lines = hashlib.sha256()
    for file in sorted(file.relative_to(directory).as_posix() for file in directory.rglob("*") if file.is_file()):
        digest = hashlib.sha256((directory / file).read_bytes()).hexdigest()
        lines.update(f"{file}\0sha256:{digest}\n".encode())
    return f"sha256:{lines.hexdigest()}"


def _build(options: argparse.Namespace) -> dict[str, Any]:
    started = time.monotonic()
    from conversion.featurizers.head import read_head
    from conversion.featurizers.request import BuildRequest

    head = read_head(options.head) if options.head else None
    if options.classes is not None and options.classes < 1:
        raise BuildError("ClassesMismatch", f"--classes is {options.classes}", "give a number from 1")
    request = BuildRequest(options.name, options.weights, options.classes, head)
    return build(request, options.out) | {"seconds": round(time.monotonic() - started, 1)}


def _text(result: dict[str, Any]) -> str:
    tensors = [result["input"], *result["outputs"]]
    lines = {
        "model": f"{result['name']}, version {result['version']}, weights {result['tags']['weights']}",
        "parameters": f"{result['parameters']:,}",
        "features": _tensor(result["features"]),
        "input": _tensor(tensors[0]),
        "output": ", ".join(_tensor(tensor) for tensor in tensors[1:]),
        "digest": result["digest"],
        "written": f"{result['path']} in {result['seconds']} s",
    }
    return "\n".join(f"{name:<11}{text}" for name, text in lines.items())


def _tensor(tensor: dict[str, Any]) -> str:
    sizes = ", ".join("N" if size == -1 else str(size) for size in tensor["shape"])
    return f"{tensor['name']} ({tensor['tensor']}) {tensor['dtype']} [{sizes}]"


if __name__ == "__main__":
    sys.exit(main())
