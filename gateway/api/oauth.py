"""``POST /oauth/token``: a one-hour token for a client's id and key (OAuth 2 client credentials, RFC 6749 section 4.4).

Credentials come by HTTP Basic or in the form; products that put the whole form into the query are understood too. Any
live key of the client is its secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote_plus

from flask import Blueprint, Response, current_app, request

from gateway.api.access import from_known, now, public
from gateway.api.encoding import answer
from gateway.api.roles import ALLOWED
from gateway.store.clients import TOKEN_LIFE, create_token

blueprint = Blueprint("oauth", __name__)

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


@blueprint.post("/oauth/token")
@public
def token() -> Response:
    """A bearer token. Errors are those of RFC 6749 section 5.2."""
    form: Mapping[str, str] = request.form if request.form else request.args
    if form.get("grant_type") != "client_credentials":
        return _refused("unsupported_grant_type", "Send grant_type=client_credentials.")
    client_id, secret = _credentials(form)
    found = current_app.extensions["gateway-sites"].recognise(secret, now()) if secret else None
    if found is None or found[1].key_id is None or found[1].client.client_id != client_id:
        return _refused("invalid_client", "The client's id or key is wrong, expired or revoked.", 401)
    site, known = found
    allowed = known.scopes & ALLOWED[from_known(site, known).role]
    asked = frozenset(form.get("scope", "").split())
    if asked - allowed:
        return _refused("invalid_scope", f"This client may not have: {' '.join(sorted(asked - allowed))[:500]}")
    granted = asked or allowed
    return answer(
        {
            "access_token": create_token(site.store, known, granted, now=now()),
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "scope": " ".join(sorted(granted)),
        },
        headers=_NO_STORE,
    )


def _credentials(form: Mapping[str, str]) -> tuple[str, str]:
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return form.get("client_id", ""), form.get("client_secret", "")


def _refused(error: str, words: str, status: int = 400) -> Response:
    headers = _NO_STORE | ({"WWW-Authenticate": 'Basic realm="mastery-gateway"'} if status == 401 else {})
    return answer({"error": error, "error_description": words}, status, headers)
