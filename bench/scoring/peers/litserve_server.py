"""LitServe with a raw body both ways, which spares it JSON and base64, and its queue of ZeroMQ."""

import os
from typing import Annotated

import litserve
from fastapi import Body
from fastapi.responses import Response
from model import Model


class Scoring(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = Model()

    def decode_request(self, request: Annotated[bytes, Body(media_type="image/jpeg")]) -> bytes:
        return request

    def predict(self, photo: bytes) -> bytes:
        return self.model.score(photo).tobytes()

    def encode_response(self, scores: bytes) -> Response:
        return Response(scores, media_type="application/octet-stream")


if __name__ == "__main__":
    workers = int(os.environ["WORKERS"])
    server = litserve.LitServer(
        Scoring(api_path="/score"),
        accelerator="cpu",
        workers_per_device=workers,
        fast_queue=os.environ.get("FAST_QUEUE") == "1",
    )
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PORT"]),
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )
