"""A connector of a third party, installed for the test, and a district's folder around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

CONNECTOR = """
from marshmallow import RAISE, Schema, fields, validate

from gateway.sdk import Connector, Source, Target


class Auth(Schema):
    class Meta:
        unknown = RAISE

    client_id = fields.String(required=True)
    client_secret = fields.String(required=True, metadata={"secret": True},
                                  validate=validate.Length(4, error="{input} is too short."))


class Settings(Schema):
    class Meta:
        unknown = RAISE

    base_url = fields.URL(required=True)
    page_size = fields.Integer(strict=True, load_default=1000)
    auth = fields.Nested(Auth)
    headers = fields.Dict(keys=fields.String(), values=fields.String(metadata={"secret": True}))
    schools = fields.List(fields.String())


class SampleSource(Connector, Source):
    name = "sample_source"
    title = "A sample"
    Settings = Settings

    def check(self):
        return []

    def streams(self, since):
        return []

    def pull(self, stream, *, since, resume):
        return iter(())


class SampleTarget(Connector, Target):
    name = "sample_target"
    title = "A sample"
    Settings = Settings

    def check(self):
        return []

    def entities(self):
        return []

    def push(self, changes):
        return iter(())

    def read_back(self, entity, ids):
        return {}
"""

DISTRICT = """\
district: lakeside
name: Lakeside School District
time_zone: America/New_York
connections:
  sis:
    connector: sample_source
    settings:
      base_url: https://sis.example.org/
      auth:
        client_id: gateway
        client_secret: ${env:SIS_SECRET}
  lms:
    connector: sample_target
    settings: {base_url: "https://lms.example.org/"}
syncs:
  nightly:
    source: sis
    target: lms
    mapping: mappings/lakeside.yaml
    schedule: 30 1 * * mon-fri
"""


@pytest.fixture
def district_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a district's file, the good one with ``(old, new)`` replacements made, and returns its path."""
    packages = tmp_path / "packages"
    announced = packages / "sample_connectors-1.0.dist-info"
    announced.mkdir(parents=True)
    (packages / "sample_connectors.py").write_text(CONNECTOR)
    (announced / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-connectors\nVersion: 1.0\n")
    (announced / "entry_points.txt").write_text(
        "[mastery_gateway.connectors]\nsample_source = sample_connectors:SampleSource\n"
        "sample_target = sample_connectors:SampleTarget\n"
    )
    monkeypatch.syspath_prepend(str(packages))

    def write(*replacements: tuple[str, str]) -> Path:
        text = DISTRICT
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "gateway.yaml"
        path.write_text(text)
        return path

    return write
