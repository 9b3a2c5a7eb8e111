"""BentoML with a raw body both ways, which spares it multipart and JSON."""

import os
from typing import Annotated

import bentoml
from bentoml.validators import ContentType
from model import Model


@bentoml.service(workers=int(os.environ["WORKERS"]))
class Scoring:
    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api
    def score(self, photo: bytes, /) -> Annotated[bytes, ContentType("application/octet-stream")]:
        return self.model.score(photo).tobytes()
