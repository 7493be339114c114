"""Second factors: time-based codes, passkeys and recovery codes."""

from domain.factors.codes import (
    begin_totp,
    confirm_totp,
    new_recovery_codes,
    remove_totp,
    use_code,
    use_recovery_code,
)
from domain.factors.model import Passkey, RecoveryCode, Totp
from domain.factors.notices import notice_for
from domain.factors.passkeys import (
    add_passkey,
    note_passkey_use,
    passkey_of,
    passkeys_of,
    remove_passkey,
)
from domain.factors.reads import Enrolled, enrolled
from domain.factors.reset import delete_factors, reset_factors
from domain.factors.rules import base32, uri_of

__all__ = [
    "Enrolled",
    "Passkey",
    "RecoveryCode",
    "Totp",
    "add_passkey",
    "base32",
    "begin_totp",
    "confirm_totp",
    "delete_factors",
    "enrolled",
    "new_recovery_codes",
    "note_passkey_use",
    "notice_for",
    "passkey_of",
    "passkeys_of",
    "remove_passkey",
    "remove_totp",
    "reset_factors",
    "uri_of",
    "use_code",
    "use_recovery_code",
]
