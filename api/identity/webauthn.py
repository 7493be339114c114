"""WebAuthn: options for browsers, and what authenticators answer, verified by `webauthn`."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from domain.accounts import User
from domain.core.settings import Settings
from domain.factors import Passkey

_Descriptors = list[PublicKeyCredentialDescriptor]


class NewCredential(NamedTuple):
    """A credential that an authenticator just made."""

    credential_id: bytes
    public_key: bytes
    sign_count: int


class RelyingParty:
    """This installation as authenticators know it: by the host of its public address, else as `localhost`."""

    def __init__(self, settings: Settings) -> None:
        public = urlsplit(settings.public_url)
        self.id = public.hostname or "localhost"
        own = f"{public.scheme}://{public.netloc}" if public.netloc else None
        local = f"http://localhost:{settings.port}"
        self.origins = [own or local, *settings.allowed_origins]

    def creation_options(
        self, user: User, company: str, challenge: bytes, known: Sequence[Passkey]
    ) -> dict[str, Any]:
        """Return the options with which a browser creates a passkey."""
        options = generate_registration_options(
            rp_id=self.id,
            rp_name=company,
            user_id=user.id.bytes,
            user_name=user.email,
            user_display_name=user.name,
            challenge=challenge,
            exclude_credentials=_described(known),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED,
                user_verification=UserVerificationRequirement.PREFERRED,
            ),
        )
        return _plain(options_to_json(options))

    def request_options(
        self, challenge: bytes, known: Sequence[Passkey] | None = None
    ) -> dict[str, Any]:
        """Return the options of a passkey request; for any passkey of this installation when none are named."""
        options = generate_authentication_options(
            rp_id=self.id,
            challenge=challenge,
            allow_credentials=None if known is None else _described(known),
            user_verification=UserVerificationRequirement.REQUIRED
            if known is None
            else UserVerificationRequirement.PREFERRED,
        )
        return _plain(options_to_json(options))

    def created(self, credential: dict[str, Any], challenge: bytes) -> NewCredential | None:
        """The credential that an authenticator made for this challenge; None for any other answer."""
        try:
            made = verify_registration_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origins,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
            return None
        return NewCredential(made.credential_id, made.credential_public_key, made.sign_count)

    def asserted(
        self, credential: dict[str, Any], challenge: bytes, passkey: Passkey, *, verified: bool
    ) -> int | None:
        """The authenticator's new count of signatures; None when it did not answer this challenge with this passkey.

        `verified` asks for the authenticator's word that it knew its owner, by a finger, a face or a PIN.
        """
        try:
            answer = verify_authentication_response(
                credential=credential,
                expected_challenge=challenge,
                expected_rp_id=self.id,
                expected_origin=self.origins,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=verified,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError):
            return None
        return answer.new_sign_count


def challenge_in(credential: dict[str, Any]) -> bytes:
    """The challenge that an authenticator says it answers; empty for nonsense."""
    try:
        decoded = json.loads(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        return base64url_to_bytes(decoded["challenge"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return b""


def credential_id_in(credential: dict[str, Any]) -> bytes:
    """The id of the credential; empty for nonsense."""
    try:
        return base64url_to_bytes(credential["rawId"])
    except (ValueError, KeyError, TypeError):
        return b""


def _described(known: Sequence[Passkey]) -> _Descriptors:
    return [PublicKeyCredentialDescriptor(id=each.credential_id) for each in known]


def _plain(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(text)
    return decoded
