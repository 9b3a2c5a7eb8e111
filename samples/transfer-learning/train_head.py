"""Trains a classifier of one's own on the features of a model that `python -m conversion.build` made.

    python samples/transfer-learning/train_head.py --model DIR --photos DIR --out own.npz

`--photos` has a directory for each class, named after it, with JPEGs in it. What is written is what
`python -m conversion.build NAME --head own.npz` takes.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf

STEPS = 300
LEARNING_RATE = 0.5
DECAY = 1e-3


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description="Train a classifier on a featurizer.")
    parser.add_argument("--model", type=Path, required=True, help="SavedModel with the signature `features`")
    parser.add_argument("--photos", type=Path, required=True, help="a directory for each class, with JPEGs in it")
    parser.add_argument("--out", type=Path, required=True, help=".npz file to write")
    options = parser.parse_args()

    labels = sorted(directory.name for directory in options.photos.iterdir() if directory.is_dir())
    photos = [
        (file, index) for index, label in enumerate(labels) for file in sorted((options.photos / label).glob("*"))
    ]
    features = features_of(options.model, [file for file, _ in photos])
    classes = np.array([index for _, index in photos])
    kernel, bias = train(features, classes, len(labels))
    np.savez(options.out, kernel=kernel, bias=bias, labels=labels)
    right = (features @ kernel + bias).argmax(1) == classes
    print(f"{options.out}: {len(labels)} classes, {right.sum()} of {len(photos)} photos right")


def features_of(model: Path, files: list[Path]) -> np.ndarray:
    """One row for each photo."""
    loaded = tf.saved_model.load(str(model))
    rows = [loaded.signatures["features"](images=tf.constant([file.read_bytes()]))["features"] for file in files]
    return np.concatenate(rows).reshape(len(files), -1)


def train(features: np.ndarray, classes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernel and bias of a softmax regression, by gradient descent on standardised features."""
    mean, deviation = features.mean(0), features.std(0) + 1e-6
    rows, wanted = (features - mean) / deviation, np.eye(count)[classes]
    kernel, bias = np.zeros((features.shape[1], count)), np.zeros(count)
    for _ in range(STEPS):
        logits = rows @ kernel + bias
        likely = np.exp(logits - logits.max(1, keepdims=True))
        error = likely / likely.sum(1, keepdims=True) - wanted
        kernel -= LEARNING_RATE * (rows.T @ error / len(rows) + DECAY * kernel)
        bias -= LEARNING_RATE * error.mean(0)
    # The model has the features as they are: what standardised them goes into the classifier.
    kernel /= deviation[:, None]
    return kernel.astype(np.float32), (bias - mean @ kernel).astype(np.float32)


if __name__ == "__main__":
    main()
