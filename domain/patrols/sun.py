"""Verify messages of signed NFC tags (NTAG 424 DNA, Secure Unique NFC) as NXP's application note AN12196 describes.

Every tap of such a tag mirrors its UID and a counter, encrypted, and an AES-CMAC over both. Who has no key of the tag
cannot make a message, and one that was recorded repeats its counter.
"""

from hmac import compare_digest
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC

KEY_BYTES = 16
PICC_BYTES, MAC_BYTES = 16, 8
_UID_BYTES = 7
_MIRRORS_BOTH = 0xC7  # the tag mirrors a UID of seven bytes, and the counter
_FOR_MAC = bytes.fromhex("3CC300010080")  # AN12196, table 2: the label of session vector SV2


class TagKeys(NamedTuple):
    """Keys of one tag: the one that encrypts what it is, and the one that signs."""

    meta: bytes
    file: bytes


class TagTap(NamedTuple):
    """What a tag says of one tap."""

    uid: bytes
    counter: int


def read_tap(keys: TagKeys, picc: bytes, mac: bytes, signed: bytes = b"") -> TagTap | None:
    """Return the tap of a message, None unless a tag with these keys made it.

    `signed` is what the tag's settings put between the start of the MAC's input and the MAC; nothing by default.
    """
    if len(picc) != PICC_BYTES or len(mac) != MAC_BYTES:
        return None
    plain = Cipher(AES(keys.meta), CBC(bytes(16))).decryptor().update(picc)
    if plain[0] != _MIRRORS_BOTH:
        return None
    identity = plain[1 : 1 + _UID_BYTES + 3]
    whole = _cmac(_cmac(keys.file, _FOR_MAC + identity), signed)
    if not compare_digest(whole[1::2], mac):  # AN12196, 3.3.1: every second byte
        return None
    return TagTap(identity[:_UID_BYTES], int.from_bytes(identity[_UID_BYTES:], "little"))


def _cmac(key: bytes, content: bytes) -> bytes:
    made = CMAC(AES(key))
    made.update(content)
    return made.finalize()
