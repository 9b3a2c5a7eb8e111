"""KServe's Python server: REST with a raw body both ways, and gRPC. Long calls leave its event loop, as its documents say."""

import asyncio
import os


import kserve
from kserve import InferOutput, InferRequest, InferResponse
from model import Model


class Scoring(kserve.Model):
    """Loads the model where it is first used: KServe pickles this object for each of several workers."""

    def __init__(self) -> None:
        super().__init__("scoring")
        self._model = None
        self.ready = True

    def _score(self, photo: bytes):
        if self._model is None:
            self._model = Model()
        return self._model.score(photo)

    async def predict(self, payload, headers=None, response_headers=None):
        if not isinstance(payload, InferRequest):
            return (await asyncio.to_thread(self._score, payload)).tobytes()
        scores = await asyncio.to_thread(self._score, payload.inputs[0].data[0])
        output = InferOutput("output", list(scores.shape), "FP32")
        output.set_data_from_numpy(scores, binary_data=True)
        return InferResponse(payload.id, self.name, [output])


if __name__ == "__main__":
    kserve.ModelServer(
        http_port=int(os.environ["PORT"]),
        grpc_port=int(os.environ["GRPC_PORT"]),
        workers=int(os.environ["WORKERS"]),
        enable_latency_logging=False,
    ).start([Scoring()])
