"""The conversion job: a SavedModel that takes JPEGs becomes ONNX graphs that answer alike.

    python -m conversion.job --model DIR --photos DIR --signature NAME --input NAME --output NAME [--output NAME] --out DIR

Says on standard output which phase it is in. A failure ends with one line on standard error,
``slipway: error=CODE message=… fix=…``, and exit code 2. ``manifest.json`` is written last: a directory without it is not whole.
"""

import argparse
import os
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from conversion.errors import ConversionError

PREPROCESS = "preprocess.onnx"
MODEL = "model.onnx"


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m conversion.job", description="Convert a SavedModel to ONNX.")
    parser.add_argument("--model", type=Path, required=True, help="directory of the SavedModel")
    parser.add_argument("--photos", type=Path, required=True, help="directory of JPEGs to check the result with")
    parser.add_argument("--signature", default="serving_default")
    parser.add_argument("--input", required=True, help="signature key or tensor name of the JPEGs")
    parser.add_argument("--output", action="append", required=True, help="signature key or tensor name; repeatable")
    parser.add_argument("--out", type=Path, required=True, help="directory to write")
    options = parser.parse_args(arguments)
    try:
        convert(options.model, options.photos, options.signature, options.input, options.output, options.out)
    except ConversionError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:  # the log's last line must say what happened, whatever it was
        traceback.print_exc()
        print(ConversionError("ConversionFailed", f"{type(error).__name__}: {error}"), file=sys.stderr)
        return 2
    return 0


def convert(
    saved_model: Path, photos: Path, signature: str, input_name: str, output_names: list[str], out: Path
) -> None:
    """Converts ``saved_model`` into the directory ``out``.

    Raises:
        ConversionError: the model, or what was asked of it, is not supported, or the result does not agree with TensorFlow.
    """
    started = time.monotonic()
    _phase("load", f"{saved_model.name}, signature {signature}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # TensorFlow takes seconds to import; the first line of the log should not wait for it.
    from conversion import cut, freeze, golden, load, manifest, onnx_export, parity

    out.mkdir(parents=True, exist_ok=True)
    (out / manifest.MANIFEST).unlink(missing_ok=True)
    selection = load.select(saved_model, signature, input_name, output_names)
    tensors = {output.tensor: output.key for output in reversed(selection.outputs)}
    pictures = golden.read_photos(photos)
    with load.serving_session(saved_model) as session:
        _phase("golden", f"TensorFlow's answers to {len(pictures)} photos")
        goldens = golden.score(session, selection, pictures)
        _phase("freeze", "variables become constants")
        graph = freeze.freeze(session, [selection.input.tensor], list(tensors))

    found = cut.find_cut(graph, selection.input.tensor, list(tensors))
    dct_method = golden.dct_method(found.decode, pictures)
    _phase(
        "convert",
        f"{found.decode.type} ({dct_method}) to {found.images}, and from there to {', '.join(tensors.values())}",
    )
    onnx_export.export(found.preprocessing, found.pixels, {found.image: "image"}, "rgb", out / PREPROCESS)
    onnx_export.export(graph, found.images, tensors, "image", out / MODEL)
    outputs = [
        parity.ParityOutput(output.key, tensors[output.tensor], parity.ends_in_softmax(graph, output.tensor))
        for output in selection.outputs
    ]
    del graph

    _phase("check", "the converted model against TensorFlow's answers")
    share = parity.check_parity(out / PREPROCESS, out / MODEL, outputs, found.decode, goldens)

    _phase("write", f"largest difference {share:.2g} of the limit")
    parts: dict[str, Any] = {
        **manifest.describe_selection(selection, tensors),
        "decode": {"op": found.decode.type, "channels": 3, "dctMethod": dct_method},
        "preprocess": manifest.describe_preprocess(out / PREPROCESS),
        "model": manifest.describe_model(out / MODEL),
        "goldens": manifest.write_goldens(out, goldens),
    }
    if labels := manifest.copy_labels(saved_model, out, selection.outputs):
        parts["labels"] = labels
    digest = manifest.write_manifest(out, parts)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    _say(f"converted {digest} in {time.monotonic() - started:.1f} s, {peak} MB at most")


def _phase(name: str, detail: str) -> None:
    _say(f"phase={name} {detail}")


def _say(text: str) -> None:
    print(f"slipway: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
