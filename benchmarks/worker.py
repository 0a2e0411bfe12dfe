"""A process of its own on one world: it answers calls by name, so that two worlds can be measured in turns."""

import importlib
import multiprocessing
import traceback
from multiprocessing.connection import Connection
from typing import Any

from benchmarks import worlds


class Worker:
    """``Worker(env)("audience", runs=3)`` calls ``audience(runs=3)`` of ``measures`` or ``texting`` in the process."""

    def __init__(self, env: dict[str, str]) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(env, theirs))
        self._process.start()

    def __call__(self, name: str, /, **arguments: Any) -> Any:
        self._pipe.send((name, arguments))
        ended_well, result = self._pipe.recv()
        if not ended_well:
            raise RuntimeError(result)
        return result

    def close(self) -> None:
        self._pipe.close()
        self._process.join(10)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join()


def once(env: dict[str, str], name: str, /, **arguments: Any) -> Any:
    """Call in a fresh process, where memory is measured."""
    worker = Worker(env)
    try:
        return worker(name, **arguments)
    finally:
        worker.close()


def _serve(env: dict[str, str], pipe: Connection) -> None:
    worlds.enter(env)
    modules = [importlib.import_module(f"benchmarks.{name}") for name in ("measures", "texting")]
    while True:
        try:
            name, arguments = pipe.recv()
        except EOFError:
            return
        try:
            measure = next(found for module in modules if (found := getattr(module, name, None)))
            pipe.send((True, measure(**arguments)))
        except Exception:
            pipe.send((False, traceback.format_exc()))
