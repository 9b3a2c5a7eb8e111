"""SavedModels that cannot be converted, each for one reason."""

import gc
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import tensorflow as tf
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from conversion.featurizers.export import export_saved_model
from conversion.featurizers.request import NONE, BuildRequest
from conversion.tests import small_networks, toy_models

DATA = Path("variables") / "variables.data-00000-of-00001"


def unsupported_op(out: Path) -> None:
    toy_models.save_mapped(out, network=lambda images: tf.math.lgamma(toy_models.mean_colour(images) + 1))


def foreign_op(out: Path) -> None:
    """An op that TensorFlow knows only with a package of someone's."""
    toy_models.save_tensors_tf1(out)
    model = SavedModel.FromString((out / "saved_model.pb").read_bytes())
    for node in model.meta_graphs[0].graph_def.node:
        if node.op == "Softmax":
            node.op = "TheirSoftmax"
    (out / "saved_model.pb").write_bytes(model.SerializeToString())


def any_size(out: Path) -> None:
    def pixels(image: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.io.decode_jpeg(image, 3), tf.float32)

    toy_models.save_mapped(out, pixels)


def output_without_batch(out: Path) -> None:
    toy_models.save_mapped(out, network=lambda images: tf.reduce_sum(toy_models.mean_colour(images), 0))


def images_that_know_each_other(out: Path) -> None:
    toy_models.save_mapped(out, network=lambda images: toy_models.mean_colour(images) / tf.reduce_max(images))


def only_one_image(out: Path) -> None:
    toy_models.save_single(out, lambda images: tf.reshape(images, [1, 3 * toy_models.SIZE**2]))


def not_a_number(out: Path) -> None:
    toy_models.save_mapped(out, network=lambda images: tf.math.log(-toy_models.mean_colour(images)))


def accurate_decoder(out: Path) -> None:
    def decode(image: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.io.decode_jpeg(image, 3, dct_method="INTEGER_ACCURATE"), tf.float32)

    toy_models.save_mapped(out, lambda image: toy_models.resize(decode(image)))


def truncated_weights(out: Path) -> None:
    _save("resnet50", out)
    data = out / DATA
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])


def scrambled_weights(out: Path) -> None:
    _save("resnet50", out)
    data = out / DATA
    data.write_bytes(data.read_bytes()[::-1])


def weights_of_another_architecture(out: Path) -> None:
    _save_with_variables(out, lambda other: _save("densenet121", other))


def weights_of_another_size(out: Path) -> None:
    _save_with_variables(out, lambda other: _save("resnet50", other, small_networks.CLASSES + 2))


BROKEN: Mapping[str, Callable[[Path], None]] = {
    maker.__name__.replace("_", "-"): maker
    for maker in (
        unsupported_op,
        foreign_op,
        any_size,
        output_without_batch,
        images_that_know_each_other,
        only_one_image,
        not_a_number,
        accurate_decoder,
        truncated_weights,
        scrambled_weights,
        weights_of_another_architecture,
        weights_of_another_size,
    )
}


def _save(name: str, out: Path, classes: int = small_networks.CLASSES) -> None:
    export_saved_model(name, small_networks.blueprint(name, BuildRequest(name, NONE, classes)), out)
    gc.collect()  # or TensorFlow still knows the functions of the model that was saved


def _save_with_variables(out: Path, save_other: Callable[[Path], None]) -> None:
    """ResNet with the variables of another model."""
    _save("resnet50", out)
    other = out.with_name(f"{out.name}.other")
    save_other(other)
    shutil.rmtree(out / "variables")
    shutil.move(other / "variables", out / "variables")
    shutil.rmtree(other)
