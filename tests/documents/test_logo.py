"""Logos: a picture and nothing else."""

from __future__ import annotations

import struct

import pytest

from gateway.core.errors import ConfigurationError
from gateway.documents.school import MOST_BYTES, read_logo

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">'
GOOD = f'{HEAD}<defs><linearGradient id="g"/></defs><rect width="9" height="9" fill="url(#g)"/></svg>'


def png(width=10, height=10):
    return (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + struct.pack(">II", width, height)
        + b"\x08\x06"
        + b"\0" * 9
    )


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (GOOD.encode(), "image/svg+xml"),
        (f"{HEAD}<style>.a {{ fill: #123; stroke: url(#g) }}</style></svg>".encode(), "image/svg+xml"),
        (png(), "image/png"),
    ],
)
def test_a_plain_picture_is_taken(tmp_path, content, kind):
    (tmp_path / "logo").write_bytes(content)
    assert read_logo(tmp_path / "logo").startswith(f"data:{kind};base64,")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<html/>",
        b"<svg>no namespace</svg>",
        HEAD.encode() + b"<script>1</script></svg>",
        HEAD.encode() + b'<image href="http://127.0.0.1/x"/></svg>',
        HEAD.encode() + b'<use xlink:href="http://127.0.0.1/x#a"/></svg>',
        HEAD.encode() + b'<rect fill="url(http://127.0.0.1/x)"/></svg>',
        HEAD.encode() + b"<rect style=\"fill: url( 'http://127.0.0.1/x' )\"/></svg>",
        HEAD.encode() + b"<style>@import 'http://127.0.0.1/x';</style></svg>",
        HEAD.encode() + b"<style>rect { fill: url(#g); stroke: url(http://127.0.0.1/x) }</style></svg>",
        HEAD.encode() + b'<rect onload="alert(1)"/></svg>',
        HEAD.encode() + b"<foreignObject/></svg>",
        b'<?xml-stylesheet href="http://127.0.0.1/x"?>' + GOOD.encode(),
        b'<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/hostname">]>' + GOOD.encode(),
        png(width=5000),
        png(height=0),
        png()[:20],
        b"\x89PNG\r\n\x1a\n" + b"\0" * MOST_BYTES,
    ],
)
def test_anything_else_is_refused(tmp_path, content):
    (tmp_path / "logo.svg").write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        read_logo(tmp_path / "logo.svg")
    assert caught.value.code == "documents.logo"


def test_a_missing_logo_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match="does not exist"):
        read_logo(tmp_path / "logo.svg")
