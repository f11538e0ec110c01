"""Records what is requested of the local stack, so that tests can hold it against AWS's service models."""

import base64
import json


def recording(app, path):
    """The ASGI application `app`, with a line in the file `path` for every request of an AWS SDK for Rust: of the
    functions and the operator's command. Other programs are not ours to check."""
    file = path.open("a", encoding="utf-8", buffering=1)

    async def recorded(scope, receive, send):
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", [])}
        if scope["type"] != "http" or "aws-sdk-rust" not in headers.get("user-agent", ""):
            await app(scope, receive, send)
            return
        body = bytearray()

        async def receive_and_keep():
            message = await receive()
            body.extend(message.get("body", b""))
            return message

        try:
            await app(scope, receive_and_keep, send)
        finally:
            request = {
                "method": scope["method"],
                "path": scope["raw_path"].decode("latin-1"),
                "query": scope["query_string"].decode("latin-1"),
                "headers": headers,
                "body": base64.b64encode(body).decode(),
            }
            file.write(json.dumps(request) + "\n")

    return recorded
