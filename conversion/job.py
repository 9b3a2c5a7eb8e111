"""The conversion job: a SavedModel that takes JPEGs becomes ONNX graphs that answer alike.

    python -m conversion.job --model DIR --photos DIR --signature NAME --input NAME --output NAME… --out DIR
        [--parity-relative SHARE] [--parity-top5 N] [--max-memory 6G]
        [--quantize int8 --calibration DIR [--int8-relative SHARE] [--int8-top5 N]]

Says on standard output which phase it is in. A failure ends with one line on standard error,
``slipway: error=CODE message=… fix=…``, and exit code 2. ``manifest.json`` is written last: without it, a directory is
not whole.
"""

import argparse
import gc
import os
import sys
import time
import traceback
from pathlib import Path
from tempfile import TemporaryDirectory

from conversion.errors import ConversionError
from conversion.memory import DEFAULT_LIMIT, memory_limit, parse_bytes, peak_bytes
from conversion.progress import phase, say

MEBIBYTE = 2**20


def main(arguments: list[str] | None = None) -> int:
    """Entry point; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if bool(options.quantize) != bool(options.calibration):
        parser.error("--quantize and --calibration need each other")
    started = time.monotonic()
    phase("load", f"{options.model.name}, signature {options.signature}")
    try:
        with (
            TemporaryDirectory(prefix="slipway-conversion-") as scratch,
            memory_limit(options.max_memory, Path(scratch)),
        ):
            digest = _convert(options, Path(scratch))
    except ConversionError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:  # the log's last line says what happened, whatever it was
        traceback.print_exc()
        print(ConversionError("ConversionFailed", f"{type(error).__name__}: {error}"), file=sys.stderr)
        return 2
    say(f"converted {digest} in {time.monotonic() - started:.1f} s with {peak_bytes() // MEBIBYTE} MiB at most")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m conversion.job", description="Convert a SavedModel to ONNX.")
    parser.add_argument("--model", type=Path, required=True, help="directory of the SavedModel")
    parser.add_argument("--photos", type=Path, required=True, help="directory of JPEGs to check the result with")
    parser.add_argument("--signature", default="serving_default")
    parser.add_argument("--input", required=True, help="signature key or tensor name of the JPEGs")
    parser.add_argument("--output", action="append", required=True, help="signature key or tensor name; repeatable")
    parser.add_argument("--out", type=Path, required=True, help="directory to write")
    parser.add_argument(
        "--parity-relative", type=float, default=1e-3, help="largest difference from TensorFlow's answers"
    )
    parser.add_argument("--parity-top5", type=int, default=5, help="how many of the five best classes must agree")
    parser.add_argument("--quantize", choices=["int8"], help="make the network smaller and faster")
    parser.add_argument("--calibration", type=Path, help="directory of JPEGs like those to be scored, for --quantize")
    parser.add_argument("--int8-relative", type=float, default=0.1, help="largest difference of int8 from float")
    parser.add_argument("--int8-top5", type=int, default=3, help="how many of float's five best classes int8 keeps")
    parser.add_argument("--max-memory", type=parse_bytes, default=DEFAULT_LIMIT, help="such as 6G; more is a failure")
    return parser


def _convert(options: argparse.Namespace, scratch: Path) -> str:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # What is imported stays: a garbage collector that looks through it again and again only costs time.
    gc.disable()
    # TensorFlow takes seconds to import; the first line of the log does not wait for it.
    from conversion.parity import Limits
    from conversion.pipeline import ConversionRequest, convert
    from conversion.quantization import Quantization

    gc.freeze()
    gc.enable()

    limits = Limits(options.parity_relative, options.parity_top5)
    quantization = None
    if options.quantize:
        quantization = Quantization(options.calibration, Limits(options.int8_relative, options.int8_top5))
    request = ConversionRequest(
        options.model, options.photos, options.signature, options.input, options.output, limits, quantization
    )
    return convert(request, options.out, scratch)


if __name__ == "__main__":
    # TensorFlow imports Keras 3 unless Keras 2 is asked for. That is not installed, and the job needs neither.
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # TensorFlow takes half a second to free, one by one, what ends with the process anyway
