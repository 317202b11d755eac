"""``/v1/policies``, ``/v1/frameworks``, ``/v1/scales``: what a district offers beside its mappings."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow import fields

from gateway.api import catalogue_schemas as shown
from gateway.api.access import caller, needs, now
from gateway.api.catalogue import NotInCatalogueError
from gateway.api.encoding import answer
from gateway.api.openapi import Blueprint
from gateway.api.problems import not_found
from gateway.api.roles import CATALOGUE
from gateway.core.errors import did_you_mean
from gateway.core.gpa.policy import Policy

blueprint = Blueprint("catalogue", __name__, url_prefix="/v1", description="What the district offers.")


class PolicyQuerySchema(shown.VersionSchema):
    as_of = fields.Date(metadata={"description": "The version that holds on this day; today otherwise."})


def policy(name: str, query: dict[str, Any]) -> Policy:
    """The caller's district's policy of this name. Raises :class:`Problem` (``not-found``)."""
    day = query.get("as_of") or now().astimezone(caller().site.district.time_zone).date()
    try:
        return caller().site.catalogue.policy(name, day, query.get("version"))
    except NotInCatalogueError as error:
        raise not_found(str(error)) from None


@blueprint.get("/policies")
@blueprint.response(200, shown.PolicyListSchema)
@needs(CATALOGUE)
def list_policies() -> Response:
    """All versions of all GPA policies, with their sources and open questions."""
    return answer({"policies": [shown.policy_shown(each) for each in caller().site.catalogue.policies.all()]})


@blueprint.get("/policies/<string:name>")
@blueprint.told(problems=["conflict"])
@blueprint.arguments(PolicyQuerySchema, location="query")
@blueprint.response(200, shown.PolicySchema)
@needs(CATALOGUE)
def read_policy(query: dict[str, Any], name: str) -> Response:
    """One policy: the version that holds today, or another one."""
    return answer(shown.policy_shown(policy(name, query)))


@blueprint.get("/frameworks")
@blueprint.response(200, shown.FrameworkListSchema)
@needs(CATALOGUE)
def list_frameworks() -> Response:
    """The frameworks that the mappings stand on. They are served whole under `/ims/case/v1p1`."""
    frameworks = caller().site.catalogue.frameworks().values()
    return answer({"frameworks": [shown.framework_identity(each) for each in frameworks]})


@blueprint.get("/frameworks/<string:id>")
@blueprint.response(200, shown.FrameworkIdentitySchema)
@needs(CATALOGUE)
def read_framework(id: str) -> Response:
    """One framework's title, version and digest."""
    found = caller().site.catalogue.frameworks().get(id)
    if found is None:
        raise not_found("There is no framework of this identifier.")
    return answer(shown.framework_identity(found))


@blueprint.get("/scales")
@blueprint.response(200, shown.ScaleListSchema)
@needs(CATALOGUE)
def list_scales() -> Response:
    """The scales of all mappings."""
    mappings = caller().site.catalogue.mappings.all()
    return answer(
        {"scales": [shown.scale_of(mapping, scale) for mapping in mappings for scale in mapping.scales.values()]}
    )


@blueprint.get("/mappings/<string:name>/scales/<string:scale>")
@blueprint.arguments(shown.VersionSchema, location="query")
@blueprint.response(200, shown.ScaleOfMappingSchema)
@needs(CATALOGUE)
def read_scale(query: dict[str, Any], name: str, scale: str) -> Response:
    """One scale of a mapping."""
    try:
        mapping = caller().site.catalogue.mapping(name, query.get("version"))
    except NotInCatalogueError as error:
        raise not_found(str(error)) from None
    if scale not in mapping.scales:
        raise not_found(f"The mapping has no such scale.{did_you_mean(scale, sorted(mapping.scales))}")
    return answer(shown.scale_of(mapping, mapping.scales[scale]))
