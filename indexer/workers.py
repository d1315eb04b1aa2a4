"""Processes that parse, so that a grammar that crashes or hangs costs one file and never the program.

Scanners of grammars are C code that holds the interpreter's lock: one that never comes back would freeze every thread.
The processes are plain subprocesses that exchange pickles over their pipes, so no start method of `multiprocessing`
runs the caller's main module again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger(__name__)

_T = TypeVar("_T")

TIMEOUT_S = 60.0  # for one call, which takes about 0.1 s; what takes longer hangs
_MOST_MEMORY = 2_000_000_000  # bytes for a worker; ten kilobytes of odd code have taken more
_CPU_S = 2.0
_CPU_S_A_BYTE = 20e-6  # grammars read a megabyte in 0.3 s
_START = "import sys; sys.path[:] = sys.argv[1:]; from indexer.workers import serve; serve()"


class WorkerError(Exception):
    """A worker died of a call or did not finish it."""


class Worker:
    """One subprocess, started when it is first needed and again when it died; its calls take turns."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()

    def call(self, function: Callable[..., _T], *arguments: object) -> _T:
        """What a function of a module returns there; `WorkerError` where the process died of it.

        Where no process can be started the call is made here: at a risk, but better than not at all.
        """
        with self._turn:
            if self._process is not None and self._process.poll() is not None:
                self._end()  # by the system, when it ran short of memory for example; this call is not to blame
            try:
                self._process = self._process or _start()
            except OSError as error:
                log.warning("parsing in this process, because no other can be started: %s", error)
                return function(*arguments)
            return self._ask(self._process, function, arguments)

    def _ask(
        self, process: subprocess.Popen[bytes], function: Callable[..., _T], arguments: tuple[object, ...]
    ) -> _T:
        assert process.stdin is not None and process.stdout is not None
        timer = threading.Timer(TIMEOUT_S, process.kill)
        timer.start()
        try:
            pickle.dump((function, arguments), process.stdin)
            process.stdin.flush()
            result: _T = pickle.load(process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            self._end()
            raise WorkerError from error
        except BaseException:
            self._end()  # Ctrl-C: what is still under way must not be taken for the result of the next call
            raise
        finally:
            timer.cancel()
        return result

    def stop(self) -> None:
        """End the subprocess, when the call that runs is done."""
        with self._turn:
            self._end()

    def forget(self) -> None:
        """Leave the subprocess to the process that this one was forked from: two cannot share its pipes."""
        self._process, self._turn = None, threading.Lock()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


SHARED = Worker()
"""Of the whole program, for the few files of an edit; many files at once have workers of their own."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: SHARED.forget())


_serving = False


def limit_cpu(n_bytes: int) -> None:
    """From now on die of a file of so many bytes that takes a hundred times what it should; only in a worker."""
    if _serving and hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, _CPU_S + _CPU_S_A_BYTE * n_bytes)


def serve() -> None:
    """The main loop of a worker: calls in from stdin, results out to stdout, until stdin ends."""
    global _serving
    _serving = True
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes the pipe
    out = os.fdopen(os.dup(1), "wb")
    _limit_memory()
    os.dup2(2, 1)  # whatever a library prints must not get between the pickles
    while True:
        try:
            call: tuple[Callable[..., Any], tuple[Any, ...]] = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        function, arguments = call
        try:
            pickle.dump(function(*arguments), out)
            out.flush()
        except BrokenPipeError:  # the parent was killed: nobody is left to be told
            os._exit(0)
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_PROF, 0)


def _limit_memory() -> None:
    """Die of a file that makes a grammar keep every way to read it, before the machine runs out of memory."""
    if sys.platform != "win32":
        import resource

        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _start() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", _START, *sys.path]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
