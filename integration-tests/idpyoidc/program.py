"""The OpenID provider idpyoidc on loopback, with pages of its own, since the library has none.

`python program.py <port to listen on> <issuer> <folder> <client as JSON> <users as JSON: name to password>`
"""

import json
import os
import secrets
import sys

from flask import Flask, Response, redirect, request
from idpyoidc.message.oauth2 import ResponseMessage
from idpyoidc.message.oidc import AuthorizationRequest
from idpyoidc.server import Server
from idpyoidc.server.configure import OPConfiguration
from idpyoidc.server.oidc.session import Session
from idpyoidc.server.user_authn.user import UserAuthnMethod, create_signed_jwt

PORT, ISSUER, FOLDER = int(sys.argv[1]), sys.argv[2], sys.argv[3]
CLIENT, USERS = json.loads(sys.argv[4]), json.loads(sys.argv[5])
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:InternetProtocolPassword"
# Shorter than a test, so that tokens become due.
ACCESS_TOKEN_SECONDS = int(sys.argv[6])

os.chdir(FOLDER)


def page(body):
    return f"<!DOCTYPE html><title>idpyoidc</title>{body}"


class ByPassword(UserAuthnMethod):
    """Shows a form with a user's name and password."""

    def __init__(self, upstream_get=None, **kwargs):
        super().__init__(upstream_get=upstream_get)

    def __call__(self, **kwargs):
        token = create_signed_jwt(ISSUER, self.upstream_get("attribute", "keyjar"), **kwargs)
        return page(
            f'<form method="post" action="/verify"><input type="hidden" name="token" value="{token}">'
            '<input name="username"><input name="password" type="password"><button>Sign in</button></form>'
        )

    def verify(self, username, password, **kwargs):
        return username if USERS.get(username) == password else None


class EndSession(Session):
    """The request comes from a browser, so there is no client to authenticate."""

    def client_authentication(self, *args, **kwargs):
        return {}


def endpoint(path, name, *methods, **kwargs):
    return {"path": path, "class": f"idpyoidc.server.oidc.{name}", "kwargs": {"client_authn_method": methods or None, **kwargs}}


SECRET = ("client_secret_basic", "client_secret_post")
JWT = "idpyoidc.server.token.jwt_token.JWTToken"
CONFIGURATION = {
    "issuer": ISSUER,
    "httpc_params": {"timeout": 10},
    "keys": {"key_defs": [{"type": "RSA", "use": ["sig"]}], "uri_path": "jwks.json", "read_only": True},
    "preference": {"subject_types_supported": ["public"], "grant_types_supported": ["authorization_code", "refresh_token"], "scopes_supported": ["openid", "profile", "offline_access"]},
    "authentication": {"password": {"acr": PASSWORD, "class": ByPassword, "kwargs": {}}},
    "claims_interface": {"class": "idpyoidc.server.session.claims.ClaimsInterface", "kwargs": {}},
    "userinfo": {
        "class": "idpyoidc.server.user_info.UserInfo",
        "kwargs": {"db": {name: {"sub": name, "name": name} for name in USERS}},
    },
    "authz": {
        "class": "idpyoidc.server.authz.AuthzHandling",
        "kwargs": {"grant_config": {
            "usage_rules": {
                "authorization_code": {"supports_minting": ["access_token", "refresh_token", "id_token"], "max_usage": 1},
                "access_token": {},
                "refresh_token": {"supports_minting": ["access_token", "refresh_token", "id_token"]},
            },
            "expires_in": 43200,
        }},
    },
    "cookie_handler": {
        "class": "idpyoidc.server.cookie_handler.CookieHandler",
        "kwargs": {
            "keys": {
                "key_defs": [{"type": "OCT", "use": ["enc"], "kid": "enc"}, {"type": "OCT", "use": ["sig"], "kid": "sig"}],
            },
            "name": {"session": "oidc_op", "register": "oidc_op_rp", "session_management": "sman"},
        },
    },
    "token_handler_args": {
        "key_conf": {"key_defs": [{"type": "OCT", "bytes": 24, "use": ["enc"], "kid": "code"}]},
        "code": {"lifetime": 600, "kwargs": {"crypt_conf": {"kwargs": {"keys": {"key_defs": [
            {"type": "OCT", "bytes": 24, "use": ["enc"], "kid": "password"},
            {"type": "OCT", "bytes": 24, "use": ["enc"], "kid": "salt"},
        ]}}}}},
        "token": {"class": JWT, "kwargs": {"alg": "RS256", "lifetime": ACCESS_TOKEN_SECONDS, "aud": [ISSUER]}},
        "refresh": {"class": JWT, "kwargs": {"alg": "RS256", "lifetime": 86400, "aud": [ISSUER]}},
        "id_token": {"class": "idpyoidc.server.token.id_token.IDToken", "kwargs": {"lifetime": 3600}},
    },
    "endpoint": {
        "provider_config": endpoint(".well-known/openid-configuration", "provider_config.ProviderConfiguration"),
        "authorization": endpoint("authorization", "authorization.Authorization", response_types_supported=["code"]),
        "token": endpoint("token", "token.Token", *SECRET),
        "userinfo": endpoint("userinfo", "userinfo.UserInfo", "bearer_header"),
        "session": {"path": "session", "class": EndSession, "kwargs": {
            "logout_verify_url": "verify_logout", "post_logout_uri_path": "post_logout", "signing_alg": "RS256",
        }},
    },
    "add_on": {"pkce": {
        "function": "idpyoidc.server.oauth2.add_on.pkce.add_support",
        "kwargs": {"essential": False},
    }},
}

server = Server(OPConfiguration(conf=CONFIGURATION, base_path=FOLDER), cwd=FOLDER)
context = server.context
client_id = CLIENT.pop("client_id")
context.cdb[client_id] = {
    **CLIENT,
    "redirect_uris": [(uri, {}) for uri in CLIENT["redirect_uris"]],
    # The library reads this member, whose name has no plural.
    "post_logout_redirect_uri": [(uri, {}) for uri in CLIENT["post_logout_redirect_uris"]],
    "client_id": client_id,
    "client_salt": secrets.token_hex(8),
    "allowed_scopes": ["openid", "profile", "offline_access"],
    "response_types_supported": ["code"],
    "grant_types_supported": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_basic",
    "id_token_signed_response_alg": "RS256",
    # Rotation: a refresh token is good for one refresh.
    "revoke_refresh_on_issue": True,
}
server.keyjar.add_symmetric(client_id, CLIENT["client_secret"])

app = Flask(__name__)


def with_cookies(response, cookies):
    for cookie in cookies if isinstance(cookies, list) else [cookies]:
        options = {name: value for name, value in cookie.items() if name in ("value", "max_age")}
        # Not `Secure`: this is plain http.
        response.set_cookie(cookie["name"], path="/", samesite="Lax", httponly=True, **options)
    return response


def answer(handler, asked, arguments):
    if "http_response" in arguments:
        return Response(arguments["http_response"])
    if "redirect_location" in arguments:
        return redirect(arguments["redirect_location"])
    told = handler.do_response(request=asked, **arguments)
    if told.get("response_placement", handler.response_placement) == "body":
        response = Response(told["response"], status=told.get("response_code", 200))
    else:
        response = redirect(told["response"])
    for name, value in told["http_headers"]:
        response.headers[name] = value
    return with_cookies(response, told["cookie"]) if "cookie" in told else response


def refused(message):
    return Response(message.to_json(), status=400, content_type="application/json")


def serve(handler):
    http_info = {
        "headers": {name: value for name, value in request.headers.items(lower=True) if name not in ("cookie", "user-agent")},
        "method": request.method,
        "url": request.url,
        "cookie": [{"name": name, "value": value} for name, value in request.cookies.items()],
    }
    try:
        asked = handler.parse_request(request.values.to_dict(), http_info=http_info)
        if isinstance(asked, ResponseMessage) and "error" in asked:
            return refused(asked)
        arguments = handler.process_request(asked, http_info=http_info)
    except Exception as error:
        app.logger.exception("refused")
        return refused(ResponseMessage(error="invalid_request", error_description=str(error)))
    if isinstance(arguments, ResponseMessage) and "error" in arguments:
        return refused(arguments)
    return answer(handler, asked, arguments)


for one in server.endpoint.values():
    app.add_url_rule(f"/{one.endpoint_path.lstrip('/')}", one.name, lambda one=one: serve(one), methods=["GET", "POST"])


@app.get("/jwks.json")
def keys():
    return Response(server.keyjar.export_jwks_as_json(), content_type="application/json")


@app.post("/verify")
def verify():
    method = context.authn_broker.get_method_by_id("password")
    user = method.verify(**request.form)
    if user is None:
        return Response("the password is wrong", status=403)
    begun = method.unpack_token(request.form["token"])
    handler = server.get_endpoint("authorization")
    asked = AuthorizationRequest().from_urlencoded(begun["query"])
    session = handler.create_session(asked, user, begun["authn_class_ref"], begun["iat"], method)
    return answer(handler, asked, handler.authz_part2(request=asked, session_id=session))


@app.get("/verify_logout")
def verify_logout():
    return page(
        f'<form method="post" action="/rp_logout"><input type="hidden" name="sjwt" value="{request.args["sjwt"]}">'
        '<button>Sign out here</button><button name="logout" value="all">Sign out everywhere</button></form>'
    )


@app.post("/rp_logout")
def rp_logout():
    handler = server.get_endpoint("session")
    begun = handler.unpack_signed_jwt(request.form["sjwt"])
    frames = handler.do_verified_logout(alla="logout" in request.form, **begun)
    if frames:
        # The page has a link to continue: a script could leave before the frames are loaded.
        link = f'<a href="{begun["redirect_uri"]}">Continue</a>'
        response = Response(page(f'{"".join(f"{frame}</iframe>" for frame in frames)}<p>Signed out</p>{link}'))
    else:
        response = redirect(begun["redirect_uri"])
    return with_cookies(response, handler.kill_cookies())


@app.get("/post_logout")
def post_logout():
    return page("<p>Signed out</p>")


app.run("127.0.0.1", PORT, threaded=True)
