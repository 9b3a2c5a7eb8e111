"""What cannot be converted ends with a code of its own and what is wrong, and leaves no result."""

from pathlib import Path

import pytest

from conversion.errors import ConversionError
from conversion.load import tensors_of
from conversion.pipeline import ConversionRequest
from conversion.tests.broken_models import BROKEN
from conversion.tests.conftest import converted

EXPECTED = {
    "unsupported-op": ("UnsupportedOperation", "Lgamma"),
    "foreign-op": ("UnsupportedOperation", "TheirSoftmax"),
    "any-size": ("DynamicImageSize", "no fixed size"),
    "output-without-batch": ("UnsupportedOutput", "'scores' has the shape [3] for one image"),
    "images-that-know-each-other": ("UnsupportedGraph", "at once as to each of them: output 'scores' differs by"),
    "only-one-image": ("UnsupportedGraph", "at once as to each of them"),
    "not-a-number": ("OutputNotFinite", "'scores'"),
    "accurate-decoder": ("UnsupportedDecode", "dct_method=INTEGER_ACCURATE (INTEGER_FAST is supported)"),
    "truncated-weights": ("WeightsDamaged", "Read less bytes than requested"),
    "scrambled-weights": ("WeightsDamaged", "Checksum does not match"),
    "weights-of-another-architecture": ("WeightsMismatch", "they have no _weights/"),
    "weights-of-another-size": ("WeightsMismatch", "has the shape [9] and not [7]"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_is_refused_by_name(name: str, photos: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    BROKEN[name](model)
    inputs, outputs = tensors_of(model, "serving_default")
    request = ConversionRequest(model, photos, "serving_default", inputs[0].key, [outputs[0].key])
    with pytest.raises(ConversionError) as failure:
        converted(request, tmp_path / "out")
    code, named = EXPECTED[name]
    assert (failure.value.code, named in failure.value.message) == (code, True), failure.value.message
    assert failure.value.fix
    assert not (tmp_path / "out" / "manifest.json").exists()
