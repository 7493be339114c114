"""A real identity provider on a free port of this machine: discovery, published keys, signed tokens."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

AUDIENCE = "waarborg-clients"
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issuer:
    """Signs with the keys it publishes; counts how often it is asked for them."""

    keys: dict[str, tuple[str, Private]] = field(default_factory=dict)
    url: str = ""
    asked: int = 0
    broken: bool = False

    def add(self, kid: str, algorithm: str = "RS256") -> None:
        """A new key."""
        private: Private = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(65537, 2048)
        )
        self.keys[kid] = (algorithm, private)

    def token(self, kid: str, email: str, /, **changes: Any) -> str:
        """A token for this address; `changes` replace claims, None takes one away."""
        algorithm, private = self.keys[kid]
        now = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": self.url, "aud": AUDIENCE, "sub": "7", "iat": now, "exp": now + timedelta(minutes=5),
            "email": email, "email_verified": True,
        } | changes  # fmt: skip
        told = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(told, private, algorithm=algorithm, headers={"kid": kid})

    def jwks(self) -> dict[str, Any]:
        """What it publishes."""
        published = []
        for kid, (algorithm, private) in self.keys.items():
            kind: Any = (
                jwt.algorithms.ECAlgorithm if algorithm == "ES256" else jwt.algorithms.RSAAlgorithm
            )
            told = json.loads(kind.to_jwk(private.public_key()))
            published.append(told | {"kid": kid, "alg": algorithm, "use": "sig"})
        return {"keys": published}

    def forged(self, email: str) -> str:
        """A token without a signature, and with a public key as if it were a secret."""
        head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"one"}').rstrip(b"=").decode()
        body = self.token("one", email).split(".")[1]
        return f"{head}.{body}."


@asynccontextmanager
async def issuing() -> AsyncIterator[Issuer]:
    """A provider with one key, `one`."""
    issuer = Issuer()
    issuer.add("one")

    async def discover(_request: Request) -> JSONResponse:
        return JSONResponse({"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"})

    async def keys(_request: Request) -> JSONResponse:
        issuer.asked += 1
        return JSONResponse({"no": "keys"} if issuer.broken else issuer.jwks())

    app = Starlette(
        routes=[Route("/.well-known/openid-configuration", discover), Route("/keys", keys)]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn says it with a flag
        await asyncio.sleep(0.01)
    issuer.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield issuer
    finally:
        server.should_exit = True
        await task
