"""Reads a SavedModel as TensorFlow Serving does: by the TF1 loader, so that no Keras object needs to be revived."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow.core.framework.types_pb2 import DataType
from tensorflow.core.protobuf.meta_graph_pb2 import MetaGraphDef, SignatureDef, TensorInfo
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from conversion.errors import ConversionError
from conversion.load_failure import load_failure

SERVE_TAG = "serve"
"""Tag of the graph that TensorFlow Serving loads."""
ENCODED = "DT_STRING"
"""Type of an input that takes JPEGs."""
PIXEL_TYPES = ("DT_FLOAT", "DT_UINT8")
"""Types of an input that takes images which the caller has decoded."""
IMAGES_RANK = 4
"""Dimensions of a batch of images."""


@dataclass(frozen=True)
class SignatureTensor:
    """One input or output of a signature."""

    key: str
    tensor: str
    dtype: str
    """TensorFlow's name of the type, for example ``DT_STRING``."""
    shape: tuple[int, ...]
    """-1 stands for a dimension that is not fixed; empty also when the rank is unknown."""


@dataclass(frozen=True)
class Selection:
    """The part of a SavedModel that is converted."""

    signature: str
    input: SignatureTensor
    outputs: tuple[SignatureTensor, ...]


def tensors_of(saved_model: Path, signature: str) -> tuple[list[SignatureTensor], list[SignatureTensor]]:
    """Inputs and outputs of a signature, each by key.

    Raises:
        ConversionError: there is no such signature; the message lists those that are.
    """
    definition = _signature(saved_model, signature)
    inputs, outputs = (
        [_tensor(key, part[key]) for key in sorted(part)] for part in (definition.inputs, definition.outputs)
    )
    return inputs, outputs


def select(saved_model: Path, signature: str, input_name: str, output_names: Sequence[str]) -> Selection:
    """Finds the signature and its tensors, by signature key or by tensor name (with or without ``:0``).

    Raises:
        ConversionError: what was asked for is not in the model; the message lists what is.
    """
    definition = _signature(saved_model, signature)
    image = _find(definition.inputs, input_name, "input", signature)
    if len(definition.inputs) != 1:
        raise ConversionError(
            "UnsupportedSignature",
            f"signature '{signature}' has the inputs {_listed(sorted(definition.inputs))}; one is supported",
            "export a signature whose only input is the images",
        )
    if image.dtype != ENCODED:
        _require_images(image, signature)
    outputs = tuple(_find(definition.outputs, name, "output", signature) for name in dict.fromkeys(output_names))
    for output in outputs:
        if output.dtype != "DT_FLOAT":
            raise ConversionError(
                "UnsupportedOutput",
                f"output '{output.key}' of signature '{signature}' is {output.dtype}; DT_FLOAT is supported",
                "leave it out of model.outputs",
            )
    return Selection(signature, image, outputs)


def _require_images(image: SignatureTensor, signature: str) -> None:
    """Makes sure that an input without JPEGs is a batch of images of one size."""
    given = f"input '{image.key}' of signature '{signature}' is {image.dtype} {list(image.shape)}"
    supported = f"{ENCODED} (JPEGs) or {' or '.join(PIXEL_TYPES)} [-1, height, width, 1 or 3]"
    batch, height, width, channels = image.shape if len(image.shape) == IMAGES_RANK else (0, 0, 0, 0)
    if image.dtype not in PIXEL_TYPES or batch not in (-1, 1) or channels not in (1, 3):
        raise ConversionError(
            "UnsupportedInput",
            f"{given}; {supported} is supported",
            "export a signature that takes any number of images, as JPEGs or as tensors of one size",
        )
    if -1 in (height, width):
        raise ConversionError(
            "DynamicImageSize",
            f"{given}: the images have no fixed size",
            "export a signature whose input states height and width",
        )


@contextmanager
def serving_session(saved_model: Path) -> Iterator[tf.compat.v1.Session]:
    """A session in which the SavedModel is loaded and initialised.

    Raises:
        ConversionError: TensorFlow cannot load it.
    """
    config = tf.compat.v1.ConfigProto()
    # Optimising the graph takes longer than running it a few times.
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph, config=config) as session:
        try:
            tf.compat.v1.saved_model.load(session, [SERVE_TAG], str(saved_model))
        except (tf.errors.OpError, OSError, RuntimeError, ValueError) as error:
            raise load_failure(error) from error
        yield session


def _signature(saved_model: Path, name: str) -> SignatureDef:
    signatures = _serving_graph(saved_model).signature_def
    if name not in signatures:
        names = sorted(name for name in signatures if not name.startswith("__"))
        raise ConversionError(
            "SignatureNotFound",
            f"the SavedModel has no signature '{name}'; it has {_listed(names)}",
            "set model.signature to one of these",
        )
    definition: SignatureDef = signatures[name]
    return definition


def _serving_graph(saved_model: Path) -> MetaGraphDef:
    file = saved_model / "saved_model.pb"
    if not file.is_file():
        raise ConversionError(
            "NotASavedModel", f"there is no saved_model.pb in {saved_model.name}/", "give the directory of a SavedModel"
        )
    try:
        graphs = SavedModel.FromString(file.read_bytes()).meta_graphs
    except DecodeError as error:
        raise ConversionError("NotASavedModel", "saved_model.pb cannot be parsed", "export the model again") from error
    for graph in graphs:
        if SERVE_TAG in graph.meta_info_def.tags:
            return graph
    tags = sorted({tag for graph in graphs for tag in graph.meta_info_def.tags})
    raise ConversionError(
        "NotServable", f"no graph is tagged '{SERVE_TAG}'; there are {_listed(tags)}", "export it for serving"
    )


def _find(tensors: Mapping[str, TensorInfo], name: str, role: str, signature: str) -> SignatureTensor:
    for key, info in tensors.items():
        if name in (key, info.name, info.name.removesuffix(":0")):
            return _tensor(key, info)
    known = [f"{key} ({tensors[key].name})" for key in sorted(tensors)]
    raise ConversionError(
        "TensorNotFound",
        f"signature '{signature}' has no {role} '{name}'; it has {_listed(known)}",
        f"set model.{'input' if role == 'input' else 'outputs'} to one of these",
    )


def _tensor(key: str, info: TensorInfo) -> SignatureTensor:
    return SignatureTensor(key, info.name, DataType.Name(info.dtype), tuple(dim.size for dim in info.tensor_shape.dim))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"
