"""Celery messages carry ids and names, and leave after the commit (P10)."""

import ast
import inspect
from pathlib import Path

import pytest
from celery import current_app

from tests.architecture.sources import ROOT, files, name

SAFE = {"int", "int | None", "bool", "uuid.UUID", "UUID"}
DISPATCH = {"delay", "apply_async", "send_task"}


def tasks() -> dict[str, object]:
    current_app.loader.import_default_modules()
    return {key: task for key, task in current_app.tasks.items() if not key.startswith("celery.")}


def test_every_task_takes_only_ids_flags_and_the_name_of_a_job() -> None:
    found = tasks()
    assert "retention.run_job" in found
    for key, task in found.items():
        for parameter in inspect.signature(task.run).parameters.values():  # type: ignore[attr-defined]
            kind = inspect.formatannotation(parameter.annotation)
            assert kind in SAFE or (parameter.name, kind) == ("name", "str"), f"{key} takes {parameter}"


def early_dispatches(tree: ast.AST) -> list[int]:
    """Lines that enqueue outside ``on_commit``: what it is given may be a lambda, a partial or a function's name."""
    after: set[ast.AST] = set()
    named: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "on_commit":
            for argument in node.args:
                after |= set(ast.walk(argument))
                named |= {argument.id} if isinstance(argument, ast.Name) else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in named:
            after |= set(ast.walk(node))
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in DISPATCH and node not in after
    ]


def sources() -> list[Path]:
    return [path for path in files(".py") if path.parts[len(ROOT.parts)] in ("config", "consent", "campaigns")]


def test_nothing_is_enqueued_before_the_commit() -> None:
    assert sources()
    found = {name(path): early_dispatches(ast.parse(path.read_text(encoding="utf-8"))) for path in sources()}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("job.delay(1)", [1]),
        ("def f():\n    job.apply_async([1])", [2]),
        ("transaction.on_commit(lambda: job.delay(1))", []),
        ("on_commit(partial(job.delay, 1))", []),
        ("def go():\n    job.delay(1)\non_commit(go)", []),
        ("on_commit(go)\njob.delay(1)", [2]),
    ],
)
def test_the_check_knows_early_from_late(code: str, lines: list[int]) -> None:
    assert early_dispatches(ast.parse(code)) == lines
