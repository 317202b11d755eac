"""What is known of single vendors, as settings that a connection starts from and may change one by one.

A preset is data: the settings that a connection with ``preset: <name>`` has unless it says otherwise. Addresses, keys
and secrets are never part of one. Each names where its facts come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class Preset:
    """One vendor's settings. ``note`` is what a person should know; ``source`` is where the facts come from."""

    title: str
    settings: Mapping[str, Any]
    note: str
    source: str


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "aeries": Preset(
            "Aeries",
            {
                "version": "1.1",
                "auth": {"type": "oauth2"},
                "profile": {
                    "page_size": 500,
                    "single_envelopes": {"academicSession": ["term"], "org": ["school"]},
                    "exclude": ["scoreScales"],
                },
            },
            "The token address is the base address followed by /token; a token lives six hours and needs scopes. "
            "Only students with a current class enrollment are delivered. Plan complete pulls outside school hours.",
            "support.aeries.com (OneRoster API); the Moodle plugin enrol_oneroster",
        ),
        "classlink-direct": Preset(
            "ClassLink, straight to the district's server",
            {"version": "1.2", "path_version": "1.1", "auth": {"type": "oauth1"}, "profile": {"page_size": 5000}},
            "Bodies are in the 1.2 shape below the 1.1 path. There is no token address.",
            "public integration notes on ClassLink's OneRoster server",
        ),
        "classlink-proxy": Preset(
            "ClassLink, through its proxy",
            {
                "base_url": "https://oneroster-proxy.apis.classlink.com",
                "version": "1.2",
                "path_version": "1.1",
                "auth": {"type": "bearer"},
                "profile": {"page_size": 5000},
            },
            "A bearer token that does not expire. Bodies are in the 1.2 shape below the 1.1 path.",
            "public integration notes on ClassLink's OneRoster proxy",
        ),
        "infinite-campus-1.1": Preset(
            "Infinite Campus, OneRoster 1.1",
            {
                "version": "1.1",
                "services": {
                    "rostering": "/api/ims/oneroster/rostering/v1p1",
                    "gradebook": "/api/ims/oneroster/rostering/v1p1",
                },
                "auth": {"type": "oauth2", "style": "query"},
                "profile": {
                    "merge_users_by": "sourcedId",
                    "user_prefixes": ["s+", "t+", "s", "t"],
                    "exclude": ["scoreScales"],
                },
            },
            "One user record per role, with a prefix in its sourcedId; the preset takes the prefix away, which gives "
            "the sourcedIds of version 1.2. Look in your own data for prefixes of further roles. Key and "
            "secret expire after one year.",
            "kb.infinitecampus.com (OneRoster: what's new in 1.2)",
        ),
        "infinite-campus-1.2": Preset(
            "Infinite Campus, OneRoster 1.2",
            {
                "version": "1.2",
                "services": {
                    "rostering": "/api/ims/oneroster/rostering/v1p2",
                    "gradebook": "/api/ims/oneroster/gradebook/v1p2",
                },
                "auth": {"type": "oauth2", "style": "header"},
            },
            "Grades need a key of their own and are taken only while the grading window is open; a teacher picks the "
            "category and the grading alignment.",
            "kb.infinitecampus.com; content.infinitecampus.com (Grading Services)",
        ),
        "skyward": Preset(
            "Skyward (Qmlativ)",
            {
                "version": "1.2",
                "services": {
                    "rostering": "/api/ims/oneroster/rostering/v1p2",
                    "gradebook": "/api/ims/oneroster/gradebook/v1p2",
                },
                "auth": {"type": "oauth2", "style": "header"},
            },
            "Standards-based gradebooks take scores only where academic areas are on manual grade entry; what is "
            "pushed overwrites Skyward's own scores.",
            "support.classlink.com and help.otus.com (Skyward); the HelloID connector for Qmlativ",
        ),
        "synergy": Preset(
            "Synergy",
            {
                "version": "1.1",
                "auth": {"type": "oauth2", "style": "body"},
                "profile": {"exclude": ["scoreScales"]},
            },
            "The token is asked for with a form; the session cookie of its answer is sent along.",
            "the TCI OneRoster client",
        ),
        "self-built": Preset(
            "A self-built server",
            {
                "version": "1.2",
                "services": {"rostering": "/ims/oneroster/v1p2", "gradebook": "/ims/oneroster/v1p2"},
                "profile": {
                    "envelopes": {"*": ["data"]},
                    "single_envelopes": {"*": ["data"]},
                    "sort": False,
                    "filters": False,
                },
            },
            "One path for all services, and lists called data.",
            "public server code",
        ),
    }
)
