"""What goes wrong, and what is no mistake but the end of a run."""

from __future__ import annotations

from typing import Any

from ._engine import DeviceError, InvalidSpec

__all__ = ["DeviceError", "Interrupted", "InvalidSpec"]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, or an abort, has ended a run.

    Attributes
    ----------
    partial
        The result of what was drawn until then: an `Ensemble`, an array of outputs, or None where a part
        has no result.
    """

    def __init__(self, sentence: str, partial: Any = None) -> None:
        super().__init__(sentence)
        self.partial = partial
