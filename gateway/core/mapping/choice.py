"""Words that choose competencies: a code or an id with all below it, a pattern over codes, a type, the top level."""

from __future__ import annotations

import re
from typing import Any, TypeAlias

from gateway.core.errors import MappingError, Place
from gateway.core.framework import Competency, Framework
from gateway.core.mapping.conditions import pattern_of
from gateway.core.mapping.reading import Reader

Path: TypeAlias = tuple[str | int, ...]


def select(word: str, path: Path, reader: Reader, framework: Framework) -> list[str]:
    """The ids that ``word`` names: a code or id with all below it, or a pattern with ``*`` over codes."""
    if "*" in word:
        pattern = re.compile(pattern_of(word))
        found = [item.id for item in framework.competencies.values() if pattern.fullmatch(item.label.casefold())]
        if not found:
            message = f'No code of {framework.title} fits "{word}".'
            reader.note(path, message, framework.suggest(word.replace("*", "")), "unknown-competency")
        return found
    found_one = find(word, path, reader, framework)
    return [found_one.id, *framework.descendants(found_one.id)] if found_one else []


def find(word: str, path: Path, reader: Reader, framework: Framework) -> Competency | None:
    """The competency that ``word`` names; noted if there is none."""
    return find_at(word, reader.document.place(*path), reader, framework)


def find_at(word: str, place: Place, reader: Reader, framework: Framework) -> Competency | None:
    """The same for a word at a place outside the mapping's own file."""
    try:
        found = framework.find(word, place=place)
    except MappingError as error:
        reader.problems.append(error)
        return None
    if found is None:
        message = f'"{word}" is no competency of {framework.title}.'
        reader.note_at(place, message, framework.suggest(word), "unknown-competency")
    return found


def targets(wanted: Any, path: Path, reader: Reader, framework: Framework) -> list[str]:
    """``top_level``, ``parents``, ``{type: …}``, or a list of codes and patterns."""
    if wanted == "top_level":
        return list(framework.top_level)
    if wanted == "parents":
        return [id for id in framework.competencies if framework.children(id)]
    if isinstance(wanted, dict) and set(wanted) == {"type"}:
        types = {item.item_type for item in framework.competencies.values() if item.item_type}
        if wanted["type"] not in types:
            reader.unknown((*path, "type"), "type of item in the framework", str(wanted["type"]), types, "unknown-type")
        return [item.id for item in framework.competencies.values() if item.item_type == wanted["type"]]
    found: list[str] = []
    for word in wanted if isinstance(wanted, list) else [wanted]:
        if not isinstance(word, str):
            reader.note(path, "Say `top_level`, `parents`, `{type: …}`, or codes.", "", "roll-up")
        elif "*" in word:
            found += select(word, path, reader, framework)
        else:
            one = find(word, path, reader, framework)
            found += [one.id] if one else []
    return list(dict.fromkeys(found))
