"""Which addresses are outside, what a webhook's address looks like, and how deliveries are signed and spaced."""

import json
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from domain.core.errors import Refused
from domain.webhooks.rules import (
    ATTEMPTS,
    SCHEDULE_S,
    check_url,
    is_outside,
    new_secret,
    pause_s,
    secret_text,
    signatures,
)

INSIDE = [
    *(
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
    ),
    *(
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "198.18.0.1",
        "224.0.0.1",
        "239.1.1.1",
    ),
    *("240.0.0.1", "255.255.255.255", "168.63.129.16", "192.0.2.1", "203.0.113.9"),
    *(
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
    ),
    *(
        "2001::1",
        "100::1",
        "3fff::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
    ),
    *(
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::10.0.0.1",
    ),
    *("64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1"),
]
OUTSIDE = [
    *(
        "1.1.1.1",
        "8.8.8.8",
        "93.184.216.34",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "::ffff:1.1.1.1",
    ),
    *("64:ff9b::101:101", "2002:101:101::1"),
]


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_on_the_public_internet_is_inside_however_it_is_wrapped(
    address: str,
) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_outside(address: str) -> None:
    assert is_outside(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/", "ftp://hooks.example.org/", "//hooks.example.org/", "https://", "hooks",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:169.254.169.254]/latest", "https://10.1.2.3/",
        "https://me:secret@hooks.example.org/", "https://hooks.example.org/#here", "https://hooks.example.org:0/",
        "https://hooks.example.org:99999/", "https://hooks.example.org/a b", "https://hooks.example.org/\r\nX: y",
        "https://hooks.example.org/" + "x" * 2000, "https://[::1", "https://0.0.0.0/",
    ],
)  # fmt: skip
def test_a_webhook_leads_to_a_web_server_outside(url: str) -> None:
    with pytest.raises(Refused):
        check_url(url, loopback=False)


def test_this_machine_is_allowed_only_where_a_setting_says_so() -> None:
    check_url("https://hooks.example.org/a?b=c", loopback=False)
    check_url("http://127.0.0.1:8080/", loopback=True)
    with pytest.raises(Refused):
        check_url("http://10.0.0.1/", loopback=True)


def test_the_public_library_accepts_what_we_sign_with_either_secret() -> None:
    old, new, other = new_secret(), new_secret(), new_secret()
    body, at = b'{"type":"promise.breached"}', int(datetime.now(UTC).timestamp())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(at),
        "webhook-signature": signatures([new, old], "msg_1", at, body),
    }
    for secret in (old, new):
        assert Webhook(secret_text(secret)).verify(body, headers) == json.loads(body)
    for text, altered in ((secret_text(other), body), (secret_text(new), body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Webhook(text).verify(altered, headers)


def test_a_delivery_is_tried_eight_times_over_more_than_a_day() -> None:
    assert [pause_s(n, 0.0) for n in range(1, ATTEMPTS + 1)] == [*SCHEDULE_S, None]
    assert SCHEDULE_S[:3] == (5, 300, 1800)
    assert sum(SCHEDULE_S) > 24 * 3600


@pytest.mark.parametrize("chance", [0.0, 0.5, 0.999])
def test_jitter_only_lengthens_a_pause_and_by_a_fifth_at_most(chance: float) -> None:
    for n, pause in enumerate(SCHEDULE_S, 1):
        stretched = pause_s(n, chance)
        assert stretched is not None
        assert pause <= stretched < pause * 1.2
