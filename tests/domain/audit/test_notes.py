"""Signed notes: byte for byte those of the reference implementation, and nothing else is taken for one.

Vector: golang.org/x/mod/sumdb/note, note_test.go.
"""

from base64 import b64decode
from email.message import EmailMessage
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api import verify
from domain.audit.signed_note import Signer, checkpoint_text

SEED = b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
NOTE = (
    TEXT + "\n— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqf"
    "qdngotpRZb6KE6RyyBwJnAM=\n"
)
PETER = Signer(Ed25519PrivateKey.from_private_bytes(SEED), "PeterNeumann")
CHECKPOINT = PETER.sign(checkpoint_text("PeterNeumann", 7, bytes(32)), "PeterNeumann")


def test_a_note_is_signed_as_the_reference_implementation_signs_it() -> None:
    assert PETER.sign(TEXT, "PeterNeumann") == NOTE
    assert PETER.verifier_key("PeterNeumann") == KEY
    assert verify.opened(NOTE, KEY) == TEXT


@pytest.mark.parametrize(
    "changed",
    [
        NOTE.replace("cryptography", "cryptographY"),
        NOTE.replace("— PeterNeumann x08go", "— PeterNeumann x08gp"),
        NOTE.replace("— PeterNeumann", "— Somebody"),
        NOTE.replace("x08go/Z", "x08go/Y"),
        NOTE.replace("\n\n—", "\n\nmore\n\n—"),
    ],
)
def test_a_note_that_was_touched_is_not_opened(changed: str) -> None:
    assert changed != NOTE
    with pytest.raises(verify.CheckFailed):
        verify.opened(changed, KEY)


def test_signatures_of_others_are_passed_over() -> None:
    other = "— Witness AAAAAbbb\n"
    head, blank, own = NOTE.rpartition("\n\n")
    assert verify.opened(head + blank + other + own, KEY) == TEXT


@pytest.mark.parametrize(
    "key",
    [
        KEY[1:],
        KEY[:-4],
        KEY.replace("c74f20a3", "c74f20a4"),
        KEY.replace("+ARpc", "+AhpC"),
        "PeterNeumann",
        "",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_a_mangled_key_is_refused(key: str) -> None:
    with pytest.raises(verify.Unreadable):
        verify.key_of(key)


def test_a_checkpoint_says_whose_tree_how_large_and_which_root() -> None:
    assert verify.checkpoint_of(CHECKPOINT, KEY) == ("PeterNeumann", 7, bytes(32), "")


def test_a_checkpoint_says_of_which_epoch_of_the_ledger_it_is_in_a_line_that_others_pass_over() -> (
    None
):
    epoch = UUID(int=7)
    text = checkpoint_text("PeterNeumann", 7, bytes(32), epoch)
    assert text.splitlines()[3:] == [f"epoch {epoch}"]
    note = PETER.sign(text, "PeterNeumann")
    assert verify.checkpoint_of(note, KEY) == ("PeterNeumann", 7, bytes(32), str(epoch))
    assert verify.note_in(f"Dear An,\n\n{note}\nRegards\n".encode()) == note


def test_a_checkpoint_under_another_name_is_not_taken() -> None:
    with pytest.raises(verify.CheckFailed, match="of Paul"):
        verify.checkpoint_of(PETER.sign(checkpoint_text("Paul", 7, bytes(32)), "PeterNeumann"), KEY)


@pytest.mark.parametrize(
    "text", ["PeterNeumann\n07\n" + "A" * 43 + "=\n", "PeterNeumann\n7\nAAAA\n", "PeterNeumann\n"]
)
def test_a_signed_note_that_is_no_checkpoint_is_not_taken_for_one(text: str) -> None:
    with pytest.raises(verify.Unreadable):
        verify.checkpoint_of(PETER.sign(text, "PeterNeumann"), KEY)


def test_the_checkpoint_is_found_in_the_mail_it_came_in() -> None:
    letter = EmailMessage()
    letter["Subject"] = "Checkpoint"
    letter.set_content(f"Dear An,\n\n{CHECKPOINT}\nRegards\n", cte="quoted-printable")
    letter.add_alternative("<p>Dear An</p>", subtype="html")
    assert verify.note_in(bytes(letter)) == CHECKPOINT
    assert verify.note_in(f"> forwarded\n\n{CHECKPOINT}".encode()) == CHECKPOINT
    with pytest.raises(verify.Unreadable):
        verify.note_in(b"nothing here")
