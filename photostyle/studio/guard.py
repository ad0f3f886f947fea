"""Who may talk to the studio: an ASGI layer in front of all of it.

A page of another site must not reach a server on this computer through the user's browser. Two ways there are: to
send requests across origins (told by Origin and Sec-Fetch-Site), and to let its own name point to this computer
(DNS rebinding, told by Host, which then is that name: a host here is an address, "localhost" or a known name).
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
import ipaddress
import json
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' blob: data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}
_WRONG_PASSWORD_PAUSE = 0.5  # seconds: guessing takes its time


class Guard:
    """Lets a request through to `app`, or answers it with a sentence about what is wrong."""

    def __init__(self, app: ASGIApp, names: Collection[str] = (), password: str | None = None) -> None:
        self._app = app
        self._names = {"localhost", *(name.lower() for name in names)}
        self._password = password

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name for name, _ in message["headers"]}
                extra = _HEADERS | {"cache-control": "no-store"}
                message["headers"] = [
                    *message["headers"],
                    *((n.encode(), v.encode()) for n, v in extra.items() if n.encode() not in present),
                ]
            await send(message)

        if not self._is_known(headers.get("host", "")):
            await _refuse(send_on, 403, "This server does not answer to that name: open it by its address.")
        elif not _is_own(headers, scope["method"]):
            await _refuse(send_on, 403, "Requests of other sites are not answered.")
        elif self._password is not None and not self._knows_password(headers.get("authorization", "")):
            if "authorization" in headers:
                await asyncio.sleep(_WRONG_PASSWORD_PAUSE)
            await _refuse(send_on, 401, "This studio has a password.", ("www-authenticate", 'Basic realm="photostyle"'))
        else:
            await self._app(scope, receive, send_on)

    def _is_known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def _knows_password(self, authorization: str) -> bool:
        scheme, _, code = authorization.partition(" ")
        try:
            _, _, given = base64.b64decode(code, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(given.encode(), (self._password or "").encode())


def _is_own(headers: dict[str, str], method: str) -> bool:
    """Whether a request comes from the studio's own page, or from no page at all."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
        return False
    site = headers.get("sec-fetch-site", "none")
    if site in ("same-origin", "none"):
        return True
    # a link on another page may lead here, but only to the page itself
    return method == "GET" and headers.get("sec-fetch-mode") == "navigate"


async def _refuse(send: Send, status: int, sentence: str, *more: tuple[str, str]) -> None:
    body = json.dumps({"error": sentence}).encode()
    fields = [("content-type", "application/json"), ("content-length", str(len(body))), *more]
    start = {"type": "http.response.start", "status": status}
    await send(start | {"headers": [(name.encode(), value.encode()) for name, value in fields]})
    await send({"type": "http.response.body", "body": body})
