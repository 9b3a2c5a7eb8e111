"""The package as a whole: style, and the environment that Azure ML builds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1]


@pytest.mark.parametrize("check", [["check"], ["format", "--check"]], ids=["lint", "format"])
def test_ruff_has_nothing_to_say(check: list[str]) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    result = subprocess.run([ruff, *check, "--no-cache", PACKAGE], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_job_environment_has_exactly_the_pinned_packages() -> None:
    environment = (PACKAGE / "environment.yml").read_text(encoding="utf-8")
    listed = [line.strip().removeprefix("- ").strip('"') for line in environment.partition("- pip:\n")[2].splitlines()]
    assert listed == (PACKAGE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"[a-z0-9-]+==[0-9.]+", line) for line in listed)


def test_base_image_is_pinned_by_a_dated_tag() -> None:
    assert re.fullmatch(r"mcr\.microsoft\.com/azureml/[a-z0-9.-]+:20\d{6}\.v\d+\n", (PACKAGE / "image.txt").read_text())
