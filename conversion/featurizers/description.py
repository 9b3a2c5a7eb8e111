"""What there is to know about a built model."""

import math
from pathlib import Path
from typing import Any

from conversion.featurizers.served_model import FEATURES, SERVING, Blueprint
from conversion.load import SignatureTensor, tensors_of


def describe(saved_model: Path, blueprint: Blueprint) -> dict[str, Any]:
    """Version, tensors as the SavedModel has them, and sizes."""
    inputs, outputs = tensors_of(saved_model, SERVING)
    (features,) = tensors_of(saved_model, FEATURES)[1]
    return {
        "version": blueprint.version,
        "parameters": sum(math.prod(variable.shape) for variable in blueprint.variables),
        "signature": SERVING,
        "input": _tensor(inputs[0]),
        "outputs": [_tensor(output) for output in outputs],
        "features": _tensor(features) | {"signature": FEATURES},
        "bytes": sum(file.stat().st_size for file in saved_model.rglob("*") if file.is_file()),
    }


def _tensor(tensor: SignatureTensor) -> dict[str, Any]:
    return {"name": tensor.key, "tensor": tensor.tensor, "dtype": tensor.dtype, "shape": list(tensor.shape)}
