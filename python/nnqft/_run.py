"""A run draws on threads of its own; Python waits for it, looks at it, or stops it."""

from __future__ import annotations

import atexit
import logging
import time
import warnings
import weakref
from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from . import _engine
from ._document import Result
from ._errors import Interrupted

T = TypeVar("T")
R = TypeVar("R", bound=Result)

_log = logging.getLogger("nnqft")
#: Seconds between looks at a run that is waited for; signals are served in between.
_LOOK = 0.05
#: Seconds that a run has to end once it is to stop: then it is left to itself.
_LAST = 0.7


class Progress(NamedTuple):
    """How far a run has come."""

    #: Networks drawn so far.
    networks: int
    #: Networks to draw; 0 before it is known, and where none are drawn.
    of: int


class Unreliable(UserWarning):
    """What a result concludes does not hold, or rests on averages that have not converged."""


class Run(Generic[T]):
    """A run that goes on by itself, from ``blocking=False``.

    Examples
    --------
    >>> import nnqft
    >>> run = nnqft.ensemble(nnqft.Net("relu", hidden=20), nets=1e4, blocking=False)
    >>> run.result()[4].order
    4
    >>> run.progress
    Progress(networks=100000, of=100000)
    """

    def __init__(
        self,
        run: _engine.Run,
        make: Callable[[Any], T],
        live: Callable[[_engine.Document], T] | None = None,
        hint: str = "",
    ) -> None:
        self._run = run
        self._make = make
        self._live = live
        self._hint = hint
        self._result: T | None = None
        self._interruption: Interrupted | None = None
        self._error: BaseException | None = None
        self._ended = False
        _alive.add(self)

    @property
    def progress(self) -> Progress:
        """Networks drawn, and networks to draw."""
        return Progress(*self._run.progress())

    @property
    def done(self) -> bool:
        """Whether the run has ended: by itself, by an abort, or by an error."""
        return self._ended or self._run.wait(0.0)

    def partial(self) -> T | None:
        """The result of the networks drawn so far, while more are drawn; None if they are too few for one, or
        where a part has no result."""
        if not self.done:
            document = None if self._live is None else self._run.look(1.0)
            if document is not None and self._live is not None:
                return self._live(document)
            if not self.done:
                return None
        try:
            return self.result(progress=False)
        except Interrupted as interrupted:
            return interrupted.partial  # type: ignore[no-any-return]

    def abort(self) -> None:
        """Stops the run soon; `result` then raises `Interrupted`, with what there is in its ``partial``."""
        self._run.abort()

    def result(self, timeout: float | None = None, progress: bool = True) -> T:
        """Waits for the result. Ctrl-C meanwhile stops the run.

        Parameters
        ----------
        timeout
            Seconds to wait at most; then TimeoutError, and the run goes on.
        progress
            Show a bar where tqdm is installed.

        Raises
        ------
        Interrupted
            If the run was stopped; its ``partial`` is what there is.
        """
        if not self._ended:
            self._wait(timeout, progress)
            self._end()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def _wait(self, timeout: float | None, progress: bool) -> None:
        start = time.monotonic()
        bar = Bar() if progress else None
        try:
            while not self._run.wait(_LOOK if timeout is None else min(_LOOK, timeout)):
                self._say()
                if bar is not None:
                    bar.show(self.progress)
                if timeout is not None and time.monotonic() - start > timeout:
                    raise TimeoutError(f"the run has not ended after {timeout} s, and goes on")
        except KeyboardInterrupt:
            self._run.abort()
            if not self._run.wait(_LAST):
                # It is in the middle of something long: without it.
                document = None if self._live is None else self._run.look(0.1)
                partial = None if document is None or self._live is None else self._live(document)
                raise Interrupted("interrupted" + self._hint, partial) from None
            self._end()
            if self._error is None:
                # It has ended by itself just now.
                self._error = Interrupted("interrupted at the end of the run", self._result)
            raise self._error from None
        finally:
            self._say()
            if bar is not None:
                bar.show(self.progress, last=True)

    def _end(self) -> None:
        """Takes what the run has made; it can be asked for once."""
        self._ended = True
        try:
            made, interruption = self._run.take()
        except Exception as error:
            self._error = error
            return
        if interruption is None:
            self._result = self._make(made)
        else:
            partial = None if made is None else self._make(made)
            self._error = Interrupted(interruption + self._hint, partial)

    def _say(self) -> None:
        for note in self._run.notes():
            if note.startswith("warning: "):
                warnings.warn(note.removeprefix("warning: "), Unreliable, stacklevel=4)
            else:
                _log.info(note)

    def __repr__(self) -> str:
        networks, of = self.progress
        state = "ended" if self.done else "running"
        return f"<nnqft.Run {state}: {networks} of {of} networks>"


class Bar:
    """A bar of tqdm for runs that last, if it is installed: in a terminal and in a notebook."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._start = time.monotonic()

    def show(self, progress: Progress, last: bool = False) -> None:
        """Shows how far the run has come."""
        if self._bar is None and not last and progress.of and time.monotonic() - self._start > 1.0:
            try:
                with warnings.catch_warnings():
                    # Without widgets a notebook has a bar of text, which will do.
                    warnings.simplefilter("ignore")
                    from tqdm.auto import tqdm
            except ImportError:
                return
            self._bar = tqdm(total=progress.of, unit=" networks", unit_scale=True, dynamic_ncols=True, leave=False)
        if self._bar is not None:
            self._bar.total = progress.of
            self._bar.update(progress.networks - self._bar.n)
            if last:
                self._bar.close()
                self._bar = None


_alive: weakref.WeakSet[Run[Any]] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    """Stops what still runs, so that checkpoints are whole."""
    running = [run for run in _alive if not run.done]
    for run in running:
        run.abort()
    for run in running:
        run._run.wait(_LAST)


def finish(run: Run[T], blocking: bool, progress: bool) -> Any:
    """The result, or the run if the caller does not wait."""
    return run.result(progress=progress) if blocking else run


def judged(kind: type[R]) -> Callable[[list[_engine.Document]], R]:
    """Makes a result of what a run has made, and warns if what it concludes is not to be relied on."""

    def make(made: list[_engine.Document]) -> R:
        verdict = made[0].verdict()
        if verdict is not None:
            warnings.warn(verdict, Unreliable, stacklevel=6)
        return kind._of(made)

    return make
