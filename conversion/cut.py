"""Finds where a graph stops handling files and starts handling images.

TensorFlow decodes the JPEG and onnxruntime cannot, so the graph is cut twice: at the output of the decode op, and at
the first tensor that holds a batch of images. What lies between is the preprocessing, what lies behind is the network.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef

from conversion.errors import ConversionError
from conversion.loops import element_of_loop

DECODE_OPS = frozenset({"DecodeJpeg", "DecodeImage", "DecodePng"})
DCT_METHOD = "INTEGER_FAST"
"""The inverse DCT of TensorFlow's default, and the only one that the scoring server's decoder has."""
DTYPES = {"DecodeImage": (tf.uint8, tf.float32), "DecodePng": (tf.uint8,)}
"""What ops that can give several types may give; float32 is 0..1."""
PIXELS = "slipway/pixels:0"
"""Tensor that stands for the decoded image where the decode op gives something else."""


@dataclass(frozen=True)
class DecodeOp:
    """The op that decodes JPEGs, with what its attributes ask for."""

    name: str
    type: str
    dct_method: str
    """As written in the graph: empty means TensorFlow's default."""


@dataclass(frozen=True)
class Cut:
    """The two places, as tensor names."""

    images: str
    """In the main graph: ``[N, height, width, channels]``."""
    images_dtype: tf.DType
    images_shape: tuple[int | None, ...]
    """Of any number of images, also where the graph makes a batch of one."""
    decode: DecodeOp
    preprocessing: GraphDef
    """Graph that holds both ends of the preprocessing: the main graph, or the body of the loop over the images."""
    pixels: str
    """Decoded image: uint8 ``[height, width, 3]``."""
    image: str
    """One image: ``[height, width, channels]``."""


def find_cut(graph_def: GraphDef, source: str, outputs: Sequence[str]) -> Cut:
    """Finds the cut in a frozen graph; ``source`` is the tensor that takes the JPEGs.

    Raises:
        ConversionError: there is no image tensor, or no decode op that can be told apart.
    """
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
    images = _find_images(graph, graph.get_tensor_by_name(source), outputs)
    preprocessing, image = element_of_loop(graph_def, images) or _single_image(graph, images)
    with tf.Graph().as_default() as body:
        tf.import_graph_def(preprocessing, name="")
    decode = _single(body)
    op = _describe(decode)
    if decode.outputs[0].dtype == tf.float32:
        preprocessing, pixels = _scaled(preprocessing, decode.outputs[0]), PIXELS
    else:
        pixels = decode.outputs[0].name
    shape = (None, *images.shape.as_list()[1:])
    return Cut(images.name, images.dtype, shape, op, preprocessing, pixels, image)


def _single_image(graph: tf.Graph, images: tf.Tensor) -> tuple[GraphDef, str]:
    """The main graph with the one image out of the batch that it makes of it."""
    with graph.as_default():
        image = tf.squeeze(images, [0], name="slipway/image")
    return graph.as_graph_def(), image.name


def _scaled(preprocessing: GraphDef, decoded: tf.Tensor) -> GraphDef:
    """The preprocessing with the scaling of a decode op that gives 0..1 as an op of its own, behind ``PIXELS``."""
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(preprocessing, name="")
        pixels = tf.compat.v1.placeholder(tf.uint8, [None, None, 3], PIXELS.removesuffix(":0"))
        scaled = tf.multiply(tf.cast(pixels, tf.float32), 1 / 255, "slipway/scaled")
    rewired = graph.as_graph_def()
    for node in rewired.node:
        node.input[:] = [scaled.op.name if name in (decoded.name, decoded.op.name) else name for name in node.input]
    return rewired


def _find_images(graph: tf.Graph, source: tf.Tensor, outputs: Sequence[str]) -> tf.Tensor:
    targets = {name.rpartition(":")[0] for name in outputs}
    images = unsized = None
    for tensor in (tensor for op in _downstream(graph, source.op, None) for tensor in op.outputs):
        # Resizing one image makes a batch of it for a moment: the one that counts is what comes last.
        if tensor.shape.rank != 4 or (images is not None and not _batches_one(tensor)):
            continue
        if not targets.isdisjoint(other.name for other in _downstream(graph, source.op, tensor.op)):
            continue
        if _holds_images(tensor):
            images = tensor
        elif unsized is None and None in tensor.shape[1:3].as_list():
            unsized = tensor
    if images is not None:
        return images
    if unsized is not None:
        raise ConversionError(
            "DynamicImageSize",
            f"the images have no fixed size: {unsized.op.type} '{unsized.op.name}' gives {unsized.shape}",
            "resize or crop to a fixed height and width, and state it: tf.ensure_shape(image, [height, width, 3])",
        )
    raise ConversionError(
        "NoImageTensor",
        f"no batch of images (4 dimensions, 1 or 3 channels) lies between '{source.name}' and the outputs",
        "decode, resize to a fixed size and batch in the graph",
    )


def _downstream(graph: tf.Graph, source: tf.Operation, without: tf.Operation | None) -> Iterator[tf.Operation]:
    """Ops that depend on ``source`` by a path that avoids ``without``, in topological order."""
    reached = {source}
    for op in graph.get_operations():
        if op is not without and any(tensor.op in reached for tensor in op.inputs):
            reached.add(op)
            yield op


def _holds_images(tensor: tf.Tensor) -> bool:
    shape = tensor.shape
    if shape.rank != 4 or not (tensor.dtype.is_floating or tensor.dtype == tf.uint8):
        return False
    _, height, width, channels = shape.as_list()
    return height is not None and width is not None and channels in (1, 3)


def _batches_one(tensor: tf.Tensor) -> bool:
    """Whether the op makes a batch of one image."""
    inputs = list(tensor.op.inputs)
    image = tensor.shape[1:].as_list()
    return bool(inputs) and inputs[0].shape.rank == 3 and inputs[0].shape.as_list() == image


def _single(body: tf.Graph) -> tf.Operation:
    decodes = [op for op in body.get_operations() if op.type in DECODE_OPS]
    if len(decodes) == 1:
        return decodes[0]
    functions = body.as_graph_def().library.function
    types = {op.type for op in body.get_operations()} | {node.op for item in functions for node in item.node_def}
    others = [name for name in sorted(types) if "Decode" in name]
    found = f"; there are {', '.join(others)}" if others else ""
    raise ConversionError(
        "UnsupportedPreprocessing",
        f"the preprocessing has {len(decodes)} ops of {', '.join(sorted(DECODE_OPS))} instead of one{found}",
        "decode in the graph, every image by the same op, in a function given to tf.map_fn and outside of tf.cond",
    )


def _describe(decode: tf.Operation) -> DecodeOp:
    """Reads the op's attributes; refuses what the scoring server does not decode alike."""
    refused = []
    dct_method = decode.get_attr("dct_method").decode() if decode.type == "DecodeJpeg" else ""
    if dct_method not in ("", DCT_METHOD):
        refused.append(f"dct_method={dct_method} ({DCT_METHOD} is supported)")
    if decode.get_attr("channels") != 3:
        refused.append(f"channels={decode.get_attr('channels')} (3 is supported)")
    if decode.type == "DecodeJpeg":
        if decode.get_attr("ratio") != 1:
            refused.append(f"ratio={decode.get_attr('ratio')} (1 is supported)")
        if not decode.get_attr("fancy_upscaling"):
            refused.append("fancy_upscaling=false (true is supported)")
    elif decode.get_attr("dtype") not in DTYPES[decode.type]:
        supported = " and ".join(dtype.name for dtype in DTYPES[decode.type])
        refused.append(f"dtype={decode.get_attr('dtype').name} ({supported} is supported)")
    if refused:
        raise ConversionError(
            "UnsupportedDecode",
            f"{decode.type} '{decode.name}' has {', '.join(refused)}",
            "change the op in the exported graph",
        )
    return DecodeOp(decode.name, decode.type, dct_method)
