"""The conversion job: a SavedModel that takes JPEGs becomes ONNX graphs that answer alike.

    python -m conversion.job --model DIR --photos DIR --signature NAME --input NAME --output NAME… --out DIR

Says on standard output which phase it is in. A failure ends with one line on standard error,
``slipway: error=CODE message=… fix=…``, and exit code 2. ``manifest.json`` is written last: without it, a directory is
not whole.
"""

import argparse
import os
import resource
import sys
import time
import traceback
from pathlib import Path

from conversion.errors import ConversionError
from conversion.progress import phase, say

MEBIBYTE_IN_KIBIBYTES = 1024


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

    started = time.monotonic()
    phase("load", f"{options.model.name}, signature {options.signature}")
    try:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        # TensorFlow takes seconds to import; the first line of the log does not wait for it.
        from conversion.pipeline import ConversionRequest, convert

        request = ConversionRequest(options.model, options.photos, options.signature, options.input, options.output)
        digest = convert(request, options.out)
    except ConversionError as error:
        print(error, file=sys.stderr)
        return 2
    except Exception as error:  # the log's last line says what happened, whatever it was
        traceback.print_exc()
        print(ConversionError("ConversionFailed", f"{type(error).__name__}: {error}"), file=sys.stderr)
        return 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MEBIBYTE_IN_KIBIBYTES
    say(f"converted {digest} in {time.monotonic() - started:.1f} s with {peak} MiB at most")
    return 0


if __name__ == "__main__":
    sys.exit(main())
