"""What tests share."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

import nnqft

# Whoever runs the tests in the background may have Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def relu() -> nnqft.Net:
    return nnqft.Net("relu", hidden=20)


def command_line(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Runs the program: that of cargo where NNQFT_GPU names it, else that of the wheel."""
    program = os.environ.get("NNQFT_GPU")
    start = [program] if program else [sys.executable, "-m", "nnqft"]
    return subprocess.run([*start, *arguments], capture_output=True, text=True, timeout=300, **options)
