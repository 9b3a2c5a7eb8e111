"""Small SavedModels that differ from the sample in one respect each."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

SIZE = 8
"""Height and width of the images, in pixels."""
CLASSES = 6

Preprocess = Callable[[tf.Tensor], tf.Tensor]
Network = Callable[[tf.Tensor], tf.Tensor]


def decode(jpeg: tf.Tensor) -> tf.Tensor:
    return tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32)


def resize(pixels: tf.Tensor) -> tf.Tensor:
    return tf.ensure_shape(tf.image.resize(pixels, [SIZE, SIZE], antialias=False), [SIZE, SIZE, 3])


def mean_colour(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(images, [1, 2])


def resized(jpeg: tf.Tensor) -> tf.Tensor:
    return resize(decode(jpeg))


def save_mapped(out: Path, preprocess: Preprocess = resized, network: Network = mean_colour) -> Path:
    """Decodes in a function given to ``tf.map_fn``."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": network(tf.map_fn(preprocess, images, fn_output_signature=tf.float32))}

    return _save(out, serve)


def save_single(out: Path, network: Network = mean_colour, resize: Preprocess = resize) -> Path:
    """Takes one JPEG as a scalar and decodes it in the main graph."""

    @tf.function(input_signature=[tf.TensorSpec([], tf.string, name="image")])
    def serve(image: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"scores": network(tf.expand_dims(resize(decode(image)), 0))}

    return _save(out, serve)


def save_tf1(out: Path, preprocess: Preprocess = resized, network: Network = mean_colour) -> Path:
    """As TensorFlow 1 wrote it: no functions, a loop spread over the graph, and variables without resources."""
    v1 = tf.compat.v1
    v1.disable_control_flow_v2()
    try:
        with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
            images = v1.placeholder(tf.string, [None], name="images")
            scale = v1.get_variable("scale", initializer=tf.constant([1.0, 2.0, 3.0]), use_resource=False)
            scores = network(tf.map_fn(preprocess, images, fn_output_signature=tf.float32)) * scale
            session.run(v1.global_variables_initializer())
            v1.saved_model.simple_save(session, str(out), {"images": images}, {"scores": scores})
    finally:
        v1.enable_control_flow_v2()
    return out


def save_tensors(
    out: Path, dtype: tf.DType = tf.float32, shape: tuple[int | None, ...] = (None, SIZE, SIZE, 3)
) -> Path:
    """Takes images that its caller has decoded."""

    @tf.function(input_signature=[tf.TensorSpec(shape, dtype, name="pixels")])
    def serve(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return classes_of(pixels)

    return _save(out, serve)


def save_tensors_tf1(out: Path, dtype: tf.DType = tf.float32) -> Path:
    """The same as TensorFlow 1 wrote it."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        pixels = v1.placeholder(dtype, [None, SIZE, SIZE, 3], name="pixels")
        scale = v1.get_variable("scale", initializer=tf.constant(2.0), use_resource=False)
        outputs = classes_of(pixels, scale)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(out), {"pixels": pixels}, outputs)
    return out


def classes_of(pixels: tf.Tensor, scale: tf.Tensor | float = 1.0) -> dict[str, tf.Tensor]:
    """Six classes by where the light is, and what they are made of."""
    images = tf.cast(pixels, tf.float32) / (255 if pixels.dtype == tf.uint8 else 1)
    quarters = tf.nn.avg_pool2d(images, SIZE // 2, SIZE // 2, "VALID")[:, :, :, :3]
    features = tf.reshape(quarters, [-1, 4 * quarters.shape[-1]])
    kernel = tf.reshape(tf.sin(tf.range(features.shape[-1] * CLASSES, dtype=tf.float32)), [-1, CLASSES])
    return {"classes": tf.nn.softmax(features @ kernel * scale), "features": features}


def save_two_outputs(out: Path) -> Path:
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="images")])
    def serve(images: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = mean_colour(tf.map_fn(resized, images, fn_output_signature=tf.float32))
        return {"scores": scores, "probabilities": tf.nn.softmax(scores)}

    return _save(out, serve)


def _save(out: Path, serve: tf.types.experimental.PolymorphicFunction) -> Path:
    module = tf.Module()
    tf.saved_model.save(module, str(out), signatures={"serving_default": serve})
    return out
