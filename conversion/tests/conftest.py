"""One built model and its graph for all tests: building takes seconds."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from conversion.pipeline import ConversionRequest, convert

ROOT = Path(__file__).parents[2]
PHOTOS = ROOT / "samples" / "photos"


def built_by_a_process(out: Path, hash_seed: str = "random") -> Path:
    """The sample, built as users do: TensorFlow numbers functions by what a process has made before."""
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "conversion.build", "efficientnet-lite0", "--out", str(out)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, capture_output=True)
    return out


def converted(request: ConversionRequest, out: Path) -> str:
    with TemporaryDirectory() as scratch:
        return convert(request, out, Path(scratch))


@dataclass(frozen=True)
class Conversion:
    """A finished conversion of the sample."""

    out: Path
    digest: str


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built_by_a_process(tmp_path_factory.mktemp("models") / "efficientnet-lite0")


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample photos as the job gets them: named by their digest."""
    directory = tmp_path_factory.mktemp("photos")
    for photo in PHOTOS.glob("*.jpg"):
        shutil.copyfile(photo, directory / f"{hashlib.sha256(photo.read_bytes()).hexdigest()}.jpg")
    return directory


@pytest.fixture(scope="session")
def conversion(saved_model: Path, photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conversion]:
    out = tmp_path_factory.mktemp("converted")
    request = ConversionRequest(saved_model, photos, "serving_default", "images", ["output_alias"])
    yield Conversion(out, converted(request, out))
