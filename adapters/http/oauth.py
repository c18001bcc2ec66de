"""The endpoints of OAuth 2.1 that programs call, and the clients that admins register."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, JSONBody

from adapters.http.authentication import ANYONE, client_ip, needs
from adapters.http.forms import FieldsRefused, form_of
from adapters.http.request import ApiRequest
from adapters.identity.errors import NotAuthenticated, OAuthError
from adapters.identity.identity import Identity
from adapters.identity.oauth_clients import Client
from adapters.identity.secrets import shown_user_code
from adapters.identity.sessions import TokenPair
from hivesync_core.accounts.scopes import SCOPES, in_order
from shared.api.accounts import (
    ClientAnswer,
    ClientCreation,
    ClientsAnswer,
    DeviceAuthorizationAnswer,
    OAuthErrorAnswer,
    OAuthTokenAnswer,
    ServerMetadata,
)

TAGS = ["OAuth"]
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = ["authorization_code", "refresh_token", DEVICE_GRANT]

_ERRORS = {
    400: ResponseSpec(OAuthErrorAnswer, description="An error of RFC 6749, section 5.2", generate_examples=False)
}


def _form_of(*fields: str) -> dict[str, Any]:
    """The ``opt`` of an endpoint that takes a form with these fields; which of them it needs depends on the grant."""
    properties = {name: {"type": "string"} for name in fields}
    return {**ANYONE, "form": {"type": "object", "properties": properties}}


@get("/.well-known/oauth-authorization-server", tags=TAGS, opt=ANYONE, summary="Metadata (RFC 8414)")
async def metadata(request: ApiRequest) -> ServerMetadata:
    """Where the endpoints are and what they can do."""
    issuer = request.services.identity.settings.public_url
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/oauth/authorize",
        token_endpoint=f"{issuer}/oauth/token",
        revocation_endpoint=f"{issuer}/oauth/revoke",
        device_authorization_endpoint=f"{issuer}/oauth/device_authorization",
        scopes_supported=list(SCOPES),
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=GRANTS,
        token_endpoint_auth_methods_supported=["none"],
        revocation_endpoint_auth_methods_supported=["none"],
        code_challenge_methods_supported=["S256"],
        authorization_response_iss_parameter_supported=True,
    )


@post(
    "/oauth/token",
    tags=TAGS,
    opt=_form_of("grant_type", "client_id", "code", "redirect_uri", "code_verifier", "refresh_token", "device_code"),
    status_code=200,
    summary="Exchange a grant",
    responses=_ERRORS,
)
async def token(request: ApiRequest) -> Response[OAuthTokenAnswer] | Response[OAuthErrorAnswer]:
    """The token endpoint: a form with `grant_type` and what the grant needs. Clients have no secret."""
    identity = request.services.identity
    try:
        form = await _form(request)
        return Response(_told(await _granted(identity, form, client_ip(request.scope, identity))))
    except OAuthError as error:
        return _refused(error)
    except NotAuthenticated as error:
        return _refused(OAuthError("invalid_grant", str(error)))


async def _granted(identity: Identity, form: dict[str, str], ip: str) -> TokenPair:
    client_id = await _client_id(identity, form)
    match form.get("grant_type"):
        case "authorization_code":
            await identity.attempts.hit("token_requests_by_ip", ip)
            code, redirect_uri = _field(form, "code"), _field(form, "redirect_uri")
            return await identity.authorization.exchange(code, client_id, redirect_uri, _field(form, "code_verifier"))
        case "refresh_token":
            scopes = frozenset(form["scope"].split()) if form.get("scope") else None
            refresh_token = _field(form, "refresh_token")
            return await identity.sign_in.refresh(refresh_token, ip, client_id=client_id, scopes=scopes)
        case "urn:ietf:params:oauth:grant-type:device_code":
            await identity.attempts.hit("token_requests_by_ip", ip)
            return await identity.device.poll(_field(form, "device_code"), client_id)
        case None | "":
            raise OAuthError("invalid_request", "grant_type is missing")
        case _:
            raise OAuthError("unsupported_grant_type", f"One of: {', '.join(GRANTS)}")


@post(
    "/oauth/revoke",
    tags=TAGS,
    opt=_form_of("client_id", "token"),
    status_code=200,
    summary="Revoke (RFC 7009)",
    responses=_ERRORS,
)
async def revoke(request: ApiRequest) -> Response[None] | Response[OAuthErrorAnswer]:
    """End the session of an access or refresh token, at once and on every node. A token that is not known is fine."""
    identity = request.services.identity
    try:
        form = await _form(request)
        client_id = await _client_id(identity, form)
        await identity.attempts.hit("token_requests_by_ip", client_ip(request.scope, identity))
        await identity.sign_in.revoke(_field(form, "token"), client_id)
    except OAuthError as error:
        return _refused(error)
    return Response(None, media_type="application/json")


@post(
    "/oauth/device_authorization",
    tags=TAGS,
    opt=_form_of("client_id", "scope"),
    status_code=200,
    summary="Begin for a device (RFC 8628)",
    responses=_ERRORS,
)
async def device_authorization(
    request: ApiRequest,
) -> Response[DeviceAuthorizationAnswer] | Response[OAuthErrorAnswer]:
    """A code for the device to wait with, and one for its person to type."""
    identity = request.services.identity
    try:
        form = await _form(request)
        ip = client_ip(request.scope, identity)
        start = await identity.device.start(_field(form, "client_id"), form.get("scope", ""), ip)
    except OAuthError as error:
        return _refused(error)
    address = f"{identity.settings.public_url}/device"
    user_code = shown_user_code(start.user_code)
    answer = DeviceAuthorizationAnswer(
        device_code=start.device_code,
        user_code=user_code,
        verification_uri=address,
        verification_uri_complete=f"{address}?user_code={user_code}",
        expires_in=start.expires_in_s,
        interval=start.interval_s,
    )
    return Response(answer)


@get("/oauth-clients", tags=TAGS, summary="List clients", **needs("admin"))
async def list_clients(request: ApiRequest) -> ClientsAnswer:
    """Every program that may ask for tokens."""
    return ClientsAnswer(clients=[_client(client) for client in await request.services.identity.clients.all()])


@post("/oauth-clients", tags=TAGS, summary="Add a client", **needs("admin"))
async def add_client(request: ApiRequest, data: JSONBody[ClientCreation]) -> ClientAnswer:
    """Let another program ask for tokens."""
    client = Client(data.client_id, data.name, tuple(data.redirect_uris), in_order(data.scopes), built_in=False)
    await request.services.identity.clients.add(client)
    return _client(client)


@delete("/oauth-clients/{client_id:str}", tags=TAGS, summary="Remove a client", **needs("admin"))
async def remove_client(request: ApiRequest, client_id: FromPath[str]) -> None:
    """Remove a program that was added, and end its sessions; those that came with HiveSync stay."""
    await request.services.identity.clients.remove(client_id)


async def _form(request: ApiRequest) -> dict[str, str]:
    try:
        return await form_of(request)
    except FieldsRefused as error:
        raise OAuthError("invalid_request", str(error)) from error


async def _client_id(identity: Identity, form: dict[str, str]) -> str:
    client = await identity.clients.find(_field(form, "client_id"))
    if client is None:
        raise OAuthError("invalid_client", "There is no such client")
    return client.client_id


def _field(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError("invalid_request", f"{name} is missing")
    return form[name]


def _told(pair: TokenPair) -> OAuthTokenAnswer:
    return OAuthTokenAnswer(
        access_token=pair.access_token,
        refresh_token=pair.refresh_token,
        expires_in=pair.expires_in_s,
        scope=" ".join(pair.scopes),
    )


def _refused(error: OAuthError) -> Response[OAuthErrorAnswer]:
    answer = OAuthErrorAnswer(error=error.error, error_description=error.description)
    return Response(answer, status_code=400)


def _client(client: Client) -> ClientAnswer:
    return ClientAnswer(
        client_id=client.client_id,
        name=client.name,
        redirect_uris=list(client.redirect_uris),
        scopes=list(client.scopes),
        built_in=client.built_in,
    )


HANDLERS = (list_clients, add_client, remove_client)
"""Under the versioned API."""

PROTOCOL_HANDLERS = (metadata, token, revoke, device_authorization)
"""At the paths that the standards and our metadata name."""
