"""A changed natural key carried into every row that refers to it, and from there on.

*Not verified*: that a row whose key changes because of another's stands in its own resource's ``/keyChanges``.
"""

from __future__ import annotations

from typing import Any

from gateway.testing.edfi.bodies import Body, Key
from gateway.testing.edfi.host import Host
from gateway.testing.edfi.model import Node
from gateway.testing.edfi.store import Table


def carry_key(host: Host, table: Table, old: Key, body: Body) -> None:
    """Let the rows that referred to ``old`` refer to the key of ``body``."""
    for name, id_ in host.store.referrers(table, old):
        referrer = host.store.tables[name]
        row = referrer.rows[id_]
        content = _carried(host.model.resources[name].node, row.body.content, table.name, old, body.key)
        changed, _ = host.reader(name).read(content)
        host.store.replace(referrer, row, changed, host.stamp())
        if changed.key != row.body.key:
            carry_key(host, referrer, row.body.key, changed)


def _carried(node: Node, content: dict[str, Any], target: str, old: Key, new: Key) -> dict[str, Any]:
    """The content with references to ``old`` pointing to ``new``."""
    result = dict(content)
    for name, reference in node.references.items():
        given = content.get(name)
        if given is not None and reference.member.target == target and tuple(given.values()) == old:
            result[name] = dict(zip(given, new, strict=True))
    for name, below in node.objects.items():
        if name in content:
            result[name] = _carried(below, content[name], target, old, new)
    for name, below in node.collections.items():
        if name in content:
            result[name] = [_carried(below, item, target, old, new) for item in content[name]]
    return result
