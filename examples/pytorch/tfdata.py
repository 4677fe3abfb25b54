"""Thumbnails as a tf.data.Dataset: a folder for each class, as `thumbnet-edge thumbnail` writes them."""

from pathlib import Path

import numpy as np
import tensorflow as tf


def thumbnails(folder: Path, size: int = 56, suffix: str = ".npy") -> tuple[tf.data.Dataset, list[str]]:
    """Pairs of uint8 [size, size, 3] (RGB, 0 to 255) and int32 class in the files' order, and the classes' names.

    `suffix` is .npy, or .png or .jpg, which TensorFlow decodes itself.
    """
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [(str(path), i) for i, name in enumerate(classes) for path in sorted((folder / name).rglob(f"*{suffix}"))]
    if not files:
        raise ValueError(f"Expected {folder}/<class>/*{suffix}, but found none.")
    paths, labels = zip(*files, strict=True)

    def load(path: tf.Tensor) -> tf.Tensor:
        if suffix == ".npy":
            return tf.numpy_function(lambda name: np.load(name.decode(), allow_pickle=False), [path], tf.uint8)
        return tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False)

    def pair(path: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.ensure_shape(load(path), (size, size, 3)), label

    pairs = tf.data.Dataset.from_tensor_slices((list(paths), np.array(labels, np.int32)))
    return pairs.map(pair, num_parallel_calls=tf.data.AUTOTUNE), classes
