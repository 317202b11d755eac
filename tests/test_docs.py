"""The pages of ``docs/`` keep up with the code: codes, links, connectors, the map of the house."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.registry import connector_names
from tests.error_codes import ROOT, codes

PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
TEXTS = frozenset(
    {".cfg", ".csv", ".in", ".ini", ".json", ".lock", ".md", ".py", ".sh", ".toml", ".txt", ".yaml", ".yml"}
)
FOREIGN = re.compile(
    r"/(?:work|root)/|/tmp/[w]\b|index-url[ =\"']+\w+:|(?:https?|file)://[\w.:/-]*(?:pypi|artifactory|devpi|nexus)"
)


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_every_code_is_documented() -> None:
    documented = {
        code for page in PAGES for code in re.findall(r"`([a-z][a-z0-9_.-]*)`", page.read_text(encoding="utf-8"))
    }
    missing = [f"{code} ({place})" for code, place in sorted(codes().items()) if code not in documented]
    assert not missing, f"docs/errors.md, or a page of its own, must tell of: {', '.join(missing)}"


def test_the_page_of_codes_has_none_that_nobody_raises() -> None:
    known, in_codes, unknown = codes(), False, []
    for line in (ROOT / "docs" / "errors.md").read_text(encoding="utf-8").splitlines():
        first = line.split("|")[1].strip() if line.startswith("|") else ""
        in_codes = bool(first) and (in_codes or first == "code")
        unknown += [code for code in re.findall(r"`([^`]+)`", first) if in_codes and code not in known]
    assert not unknown


def test_the_finder_sees_every_way_in_which_codes_are_written() -> None:
    found = codes()
    for code in (
        "plan.unknown",  # code="…"
        "policy.not-in-force",  # one of two
        "disk",  # without an area
        "csv.too-few-cells",  # a table
        "oneroster.version",  # a positional argument
        "run.stopped",  # a class of its own
        "yaml.duplicate-key",  # handed to a function
        "yaml.alias",  # handed on by a second one
        "mapping.unknown-scale",  # handed on twice, to a method
        "policy.unknown-grade",  # the same method, overridden
        "grade-unknown",  # a problem of a course
    ):
        assert code in found, code
    assert not [code for code in found if code.startswith(("gateway.", "mark.", "stage."))]


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", LINK.sub("", heading).lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and anchor not in _anchors(there)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", connector_names())
def test_each_connector_has_a_page_that_the_readme_names(name: str) -> None:
    page = f"docs/connectors/{name.replace('_', '-')}.md"
    assert (ROOT / page).is_file()
    assert f"({page})" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        for link in LINK.findall(page.read_text(encoding="utf-8")):
            there = (page.parent / link.partition("#")[0]).resolve()
            if there.suffix == ".md" and there.is_file() and there not in reached:
                waiting.append(there)
    assert {page for page in PAGES if page.is_relative_to(ROOT / "docs")} <= reached


def _house() -> list[str]:
    """Every module and package that stands directly in ``gateway`` or ``connectors``."""
    return [
        f"{package}/{path.name}" + ("/" if path.is_dir() else "")
        for package in ("gateway", "connectors")
        for path in sorted((ROOT / package).iterdir())
        if (path / "__init__.py").is_file() or (path.suffix == ".py" and path.name != "__init__.py")
    ]


def test_the_architecture_page_names_every_part_of_the_house() -> None:
    assert not [part for part in _house() if f"`{part}`" not in ARCHITECTURE]


def test_the_architecture_page_names_nothing_that_is_not_there() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+(?:[a-z_]+\.(?:py|md|yaml))?)`", ARCHITECTURE)
    assert named
    assert not [path for path in named if not (ROOT / path).exists()]


def test_nothing_names_the_place_where_it_was_made() -> None:
    folders = ("benchmarks", "config", "connectors", "docs", "gateway", "mappings", "requirements", "tests", ".ci")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if "_data" not in file.parts]
    files += [ROOT / name for name in ("CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml")]
    told = [
        f"{file.relative_to(ROOT)}: {found[0]}"
        for file in files
        if file.is_file() and (file.suffix in TEXTS or not file.suffix)
        for found in [FOREIGN.search(file.read_text(encoding="utf-8", errors="replace"))]
        if found
    ]
    assert not told
