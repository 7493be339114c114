"""Messages of signed tags: the public examples of NXP's AN12196 (all keys zero), and what is no message."""

import pytest

from domain.patrols.sun import TagKeys, TagTap, read_tap

ZERO = TagKeys(bytes(16), bytes(16))
PICC, MAC = bytes.fromhex("EF963FF7828658A599F3041510671E88"), bytes.fromhex("94EED9EE65337086")


def test_the_example_without_file_data_is_read() -> None:
    assert read_tap(ZERO, PICC, MAC) == TagTap(bytes.fromhex("04DE5F1EACC040"), 61)


def test_the_example_with_file_data_is_read() -> None:
    picc = bytes.fromhex("FD91EC264309878BE6345CBE53BADF40")
    mac = bytes.fromhex("ECC1E7F6C6C73BF6")
    signed = b"CEE9A53E3E463EF1F459635736738962&cmac="
    assert read_tap(ZERO, picc, mac, signed) == TagTap(bytes.fromhex("04958CAA5C5E80"), 8)
    assert read_tap(ZERO, picc, mac) is None


@pytest.mark.parametrize("bit", range(8 * 24))
def test_one_flipped_bit_is_refused(bit: int) -> None:
    message = bytearray(PICC + MAC)
    message[bit // 8] ^= 1 << bit % 8
    assert read_tap(ZERO, bytes(message[:16]), bytes(message[16:])) is None


@pytest.mark.parametrize(
    "keys", [TagKeys(bytes(15) + b"\x01", bytes(16)), TagKeys(bytes(16), b"\x01" + bytes(15))]
)
def test_another_key_is_refused(keys: TagKeys) -> None:
    assert read_tap(keys, PICC, MAC) is None


@pytest.mark.parametrize(
    ("picc", "mac"), [(b"", b""), (PICC[:15], MAC), (PICC, MAC[:7]), (PICC, MAC + b"\x00")]
)
def test_a_message_of_another_length_is_refused(picc: bytes, mac: bytes) -> None:
    assert read_tap(ZERO, picc, mac) is None
