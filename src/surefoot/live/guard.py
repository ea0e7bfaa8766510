"""Lets in who knows the address, from this machine's own browser pages, and nobody else."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

TOKEN_HEADER = "x-surefoot-token"
# Scripts and styles come from here alone, and nothing is sent anywhere else. Charts give their
# elements a style each, which is what `style-src-attr` is for.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


class Guard:
    """Wraps the pages: checks host, origin and token before anything else is looked at.

    The first part of a path is the token. A host of another name is refused, since a foreign page
    can make its own name lead here; so is another origin, and a change without the token in a
    header, which no form can send.

    Args:
        app: what is guarded; it sees paths without the token.
        token: who has it is let in.
        port: that the server listens on; None takes the host's port as it comes.
    """

    def __init__(self, app: App, token: str, port: int | None) -> None:
        self._app = app
        self._token = token.encode()
        end = "" if port is None else f":{port}"
        self._hosts = {f"{name}{end}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def with_headers(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
            await send(message)

        reason = self._refusal(scope)
        if reason is not None:
            answer = PlainTextResponse(f"{reason}\n", status_code=403)
            await answer(scope, receive, with_headers)
            return
        _, _, rest = scope["path"].lstrip("/").partition("/")
        await self._app({**scope, "path": f"/{rest}", "root_path": ""}, receive, with_headers)

    def _refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused; None where it is not."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if host not in self._hosts:
            return "this page is served to 127.0.0.1 and localhost alone"
        changing = scope["method"] not in ("GET", "HEAD")
        origin = headers.get("origin")
        if (changing or origin is not None) and origin not in {f"http://{h}" for h in self._hosts}:
            return "this page answers itself alone, not other pages"
        # A link that is clicked elsewhere may lead here; nothing else may.
        following = headers.get("sec-fetch-mode") == "navigate" and not changing
        from_here = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
        if not from_here and not following:
            return "this page answers itself alone, not other pages"
        token, _, _ = scope["path"].lstrip("/").partition("/")
        said = [token, headers.get(TOKEN_HEADER, "")] if changing else [token]
        given = [own.encode(errors="replace") for own in said]
        if not all(secrets.compare_digest(own, self._token) for own in given):
            return "wrong or missing token; open the address that `surefoot serve` printed"
        return None
