"""The model as every peer runs it: the files of the conversion, one inference thread, the fastest decoder that PyPI has."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import simplejpeg


class Model:
    """Decodes, preprocesses and scores one photo at a time."""

    def __init__(self) -> None:
        directory = Path(os.environ["MODEL_DIR"])
        manifest = json.loads((directory / "manifest.json").read_text())
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ["INTRA_OP_THREADS"])
        options.inter_op_num_threads = 1
        self._stages = []
        for stage in (manifest["preprocess"], manifest["model"]):
            session = onnxruntime.InferenceSession(
                directory / stage["file"], options, providers=["CPUExecutionProvider"]
            )
            self._stages.append((session, stage["input"]))
        self._preprocess_output = manifest["preprocess"]["output"]
        self._output = manifest["outputs"][0]["onnx"]

    def score(self, photo: bytes) -> np.ndarray:
        """One row of float32 for a JPEG, decoded as TensorFlow does by default (INTEGER_FAST)."""
        (preprocessing, pixels), (network, prepared) = self._stages
        image = simplejpeg.decode_jpeg(photo, fastdct=True)
        [row] = preprocessing.run([self._preprocess_output], {pixels: image})
        [scores] = network.run([self._output], {prepared: row[np.newaxis]})
        return scores
