"""Finds the stable codes in the source by reading its syntax, so that ``docs/`` can be held to all of them.

A code is
- any text of the form ``area.what`` that stands alone, but for file names, modules and crash points;
- whatever a call gives as ``code=``, a class as its ``default_code``, and ``Problem`` as a member;
- the short name that is handed to a function which puts its area in front (``code=f"mapping.{code}"``), straight or by
  way of functions that hand it on. Where two functions have one name, the nearest to the caller is meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9-]*(?:\.[0-9]+)?")
SHORT = re.compile(r"[a-z][a-z0-9-]*")
NO_CODES = re.compile(
    r".*\.(css|csv|db|html|json|log|md|parquet|pdf|toml|txt|xml|yaml|zip)|webhook\.key"  # files
    r"|(gateway|gradebook|roster|mastery_gateway|waitress)\..*"  # modules, OAuth scopes, the entry point group
    r"|manifest\.version|grades\.empty"  # a property of a bundle's manifest, a clause of a policy
    r"|roles\.role|(objectives|scores)\.result|lakeside\.example"  # fields, columns, a host
)


@dataclass(frozen=True)
class Taker:
    """A function with a parameter for a short code: its area, or the function to which it hands the code on."""

    position: int
    name: str
    area: str | None = None
    next: str | None = None


@cache
def codes() -> Mapping[str, str]:
    """Every code, and the place (file and line) at which it stands first."""
    trees = {
        file: ast.parse(file.read_text(encoding="utf-8"))
        for package in ("gateway", "connectors")
        for file in sorted((ROOT / package).rglob("*.py"))
        if "testing" not in file.parts
    }
    takers: dict[str, dict[Path, Taker]] = {}
    for file, tree in trees.items():
        for name, taker in _takers(tree):
            takers.setdefault(name, {})[file] = taker
    found: dict[str, str] = {}
    for file, tree in trees.items():
        for code, line in (*_alone(tree), *_stated(tree), *_handed(tree, file, takers)):
            found.setdefault(code, f"{file.relative_to(ROOT)}:{line}")
    return found


def _texts(node: ast.AST | None) -> Iterator[tuple[str, int]]:
    for part in ast.walk(node) if node else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value, part.lineno


def _called(call: ast.Call) -> str:
    function = call.func
    return (
        function.attr if isinstance(function, ast.Attribute) else function.id if isinstance(function, ast.Name) else ""
    )


def _alone(tree: ast.Module) -> Iterator[tuple[str, int]]:
    crash_points = {
        text for call in ast.walk(tree) if isinstance(call, ast.Call) and _called(call) == "crash_point"
        for text, _ in _texts(call)
    }  # fmt: skip
    for text, line in _texts(tree):
        if CODE.fullmatch(text) and not NO_CODES.fullmatch(text) and text not in crash_points:
            yield text, line


def _stated(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Codes without an area of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            stated = [_value(node.keywords, "code")]
        elif isinstance(node, ast.ClassDef):
            is_codes = node.name == "Problem"
            stated = [
                each.value for each in node.body
                if isinstance(each, ast.Assign | ast.AnnAssign) and (is_codes or "default_code" in ast.unparse(each))
            ]  # fmt: skip
        else:
            continue
        for value in stated:
            if isinstance(value, ast.Constant | ast.IfExp):
                yield from ((text, line) for text, line in _texts(value) if SHORT.fullmatch(text))


def _value(keywords: list[ast.keyword], name: str) -> ast.expr | None:
    return next((keyword.value for keyword in keywords if keyword.arg == name), None)


def _takers(tree: ast.Module) -> Iterator[tuple[str, Taker]]:
    """The functions that put an area before one of their parameters, or hand it on to one that may."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
        shift = 1 if names[:1] == ["self"] else 0
        for call in ast.walk(function):
            if not isinstance(call, ast.Call):
                continue
            for value in (*call.args, *(keyword.value for keyword in call.keywords)):
                taker = _taker(value, _called(call), names, shift)
                if taker:
                    yield function.name, taker


def _taker(value: ast.expr, called: str, names: list[str], shift: int) -> Taker | None:
    if isinstance(value, ast.JoinedStr) and len(value.values) == 2:
        area, part = value.values
        if isinstance(area, ast.Constant) and isinstance(part, ast.FormattedValue) and isinstance(part.value, ast.Name):
            stem = str(area.value)
            if part.value.id == "code" and part.value.id in names and re.fullmatch(r"[a-z_]+\.", stem):
                return Taker(names.index("code") - shift, "code", area=stem)
    if isinstance(value, ast.Name) and value.id == "code" and "code" in names:
        return Taker(names.index("code") - shift, "code", next=called)
    return None


def _handed(tree: ast.Module, file: Path, takers: Mapping[str, Mapping[Path, Taker]]) -> Iterator[tuple[str, int]]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        taker = _nearest(takers.get(_called(call), {}), file)
        area = _area(taker, file, takers) if taker else None
        if taker is None or area is None:
            continue
        by_position = call.args[taker.position] if len(call.args) > taker.position else None
        for text, line in _texts(_value(call.keywords, taker.name) or by_position):
            if SHORT.fullmatch(text):
                yield f"{area}{text}", line


def _nearest(takers: Mapping[Path, Taker], file: Path) -> Taker | None:
    """The one in this file, else in this folder, else in this package (``gateway/core``)."""
    package = file.relative_to(ROOT).parts[:2]
    near = [other for other in takers if other.relative_to(ROOT).parts[:2] == package]
    order = sorted(near, key=lambda other: (other != file, other.parent != file.parent, str(other)))
    return takers[order[0]] if order else None


def _area(taker: Taker, file: Path, takers: Mapping[str, Mapping[Path, Taker]], depth: int = 0) -> str | None:
    if taker.area or not taker.next or depth > 5:
        return taker.area
    after = _nearest(takers.get(taker.next, {}), file)
    return _area(after, file, takers, depth + 1) if after else None


if __name__ == "__main__":
    for code, place in sorted(codes().items()):
        print(f"{code:40} {place}")
