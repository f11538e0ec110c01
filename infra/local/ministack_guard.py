"""Keeps web pages away from the local stack.

Any page that is open in a browser can send requests to a port of the loopback. A browser says where they come from, in
`Origin` and `Sec-Fetch-Site`; a page whose name was made to resolve to the loopback (DNS rebinding) has its own name in
`Host`. Clients of AWS send none of these and name the loopback. The S3 model does the same (`http/origin.rs`).
"""

import json

import ministack.core.iam_evaluator as iam

LOOPBACK = {"127.0.0.1", "localhost", "[::1]"}
SITES_ALLOWED = {None, "none", "same-origin"}


def fix_signatures_of_roots():
    """MiniStack verifies the signatures of users and sessions only: every root could be used with any secret."""
    iam._is_root_key = lambda _access_key_id: False


def guarded(app):
    """The ASGI application `app`, closed to web pages of another origin and to names that are not the loopback's."""

    async def guard(scope, receive, send):
        if scope["type"] in ("http", "websocket"):
            headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
            refusal = refusal_of(headers.get(b"host"), headers.get(b"origin"), headers.get(b"sec-fetch-site"))
            if refusal:
                await _refuse(scope, send, refusal)
                return
        await app(scope, receive, send)

    return guard


def refusal_of(host, origin, site):
    """Why a request with these headers is refused, or None. Absent headers are None."""
    name = (host or "").lower()
    name = name.rpartition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]
    # A browser resolves every name below localhost to the loopback itself (RFC 6761), and nobody can own one.
    if name not in LOOPBACK and not name.endswith(".localhost"):
        return f"the host {host} is not this machine's loopback"
    if origin is not None and origin.lower() not in (f"http://{host}".lower(), f"https://{host}".lower()):
        return f"the page {origin} may not use the local stack"
    if site not in SITES_ALLOWED:
        return "a web page of another site may not use the local stack"
    return None


async def _refuse(scope, send, refusal):
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps({"message": f"refused: {refusal}"}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": body})
