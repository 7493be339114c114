"""Channels: what each of them says on the wire, and what its answers mean."""

import json
from base64 import urlsafe_b64encode
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any
from uuid import UUID

import http_ece  # type: ignore[import-untyped]
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from domain.accounts import Channel
from domain.core.settings import Settings
from domain.messages import Address, Enclosure, Message, Urgency
from tests import build
from tests.workers.receivers import Receiver, receiver
from tests.workers.returned import SIGNER
from workers.outbound.channels import senders_of
from workers.outbound.chat import Chat, card, is_teams
from workers.outbound.email_message import letter_of
from workers.outbound.post import PostClient
from workers.outbound.push import Push, key_in, notice_of, point_of
from workers.outbound.senders import Gone, OutboundMessage, Unconfirmed, Undeliverable
from workers.outbound.sms import Sms

pytestmark = pytest.mark.anyio


def parcel(recipient: str, **more: object) -> OutboundMessage:
    told: dict[str, object] = {
        "id": UUID(int=7), "tenant_id": UUID(int=8), "intent": "incident:9:opened",
        "template": "incident_opened", "recipient": recipient, "subject": "Raam <stuk> & open",
        "body": "Beste An,\n\nEr is een raam stuk.\n", "language": "nl",
        "urgency": Urgency.HIGH, "queued_at": build.T0,
    }  # fmt: skip
    return OutboundMessage(Message(**(told | more)), "Veilig BV")


class Handed:
    """Whether the message was handed over."""

    def __init__(self) -> None:
        self.over = False

    async def __call__(self) -> None:
        """It is, from here on."""
        self.over = True


async def sent(channel: Chat | Sms | Push, what: OutboundMessage) -> None:
    handed = Handed()
    await channel.send(what, handed)
    assert handed.over


async def test_a_chat_room_of_slack_reads_the_words_and_no_markup_of_strangers() -> None:
    async with receiver() as room:
        await sent(Chat(PostClient(loopback=True)), parcel(room.url("/services/T0/B0/x")))
    [request] = room.requests
    assert json.loads(request.body) == {
        "text": "*Raam &lt;stuk&gt; &amp; open*\nBeste An,\n\nEr is een raam stuk."
    }


def test_a_room_of_teams_gets_a_card() -> None:
    url = "https://prod-1.westeurope.logic.azure.com/workflows/1"
    assert is_teams(url)
    assert not is_teams("https://logic.azure.com.evil.example/x")
    [attachment] = card(parcel(url).message)["attachments"]
    texts = [block["text"] for block in attachment["content"]["body"]]
    assert texts == ["Raam <stuk> & open", "Beste An,", "Er is een raam stuk."]


async def test_a_text_message_goes_to_the_provider_with_a_key_that_makes_a_repeat_harmless(
    settings: Settings,
) -> None:
    async with receiver() as provider:
        told = {"sms_url": provider.url("/sms"), "sms_token": SecretStr("s3cret")}
        texts = Sms(settings.model_copy(update=told), PostClient(loopback=True))
        for _ in range(2):
            await sent(texts, parcel("+31612345678"))
    first, second = provider.requests
    assert json.loads(first.body) == {
        "from": "Veilig BV",
        "to": "+31612345678",
        "text": "Veilig BV: Raam <stuk> & open",
        "reference": str(UUID(int=7)),
    }
    assert first.headers["authorization"] == "Bearer s3cret"
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    """A key that signs notifications."""
    file = tmp_path / "push.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return file


def text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def subscribed(push_service: Receiver, browser: ec.EllipticCurvePrivateKey, auth: bytes) -> Address:
    url = push_service.url("/push/1")
    return Address(
        channel=Channel.PUSH, url=url, p256dh=text(point_of(browser.public_key())), auth=text(auth)
    )


@pytest.mark.parametrize("body", ["Kort.\n", "Heel lang é. " * 2000])
async def test_only_the_browser_reads_a_notification_and_the_push_service_knows_who_sent_it(
    settings: Settings, key_file: Path, body: str
) -> None:
    browser, auth = ec.generate_private_key(ec.SECP256R1()), bytes(range(16))
    async with receiver() as service:
        address = subscribed(service, browser, auth)
        told = parcel(address.url, body=body)
        push = Push(settings, key_in(key_file), PostClient(loopback=True))
        await sent(push, OutboundMessage(told.message, told.company, address=address))
    [request] = service.requests
    assert len(request.body) <= 4096
    shown = json.loads(http_ece.decrypt(request.body, private_key=browser, auth_secret=auth))
    assert (shown["title"], shown["tag"]) == ("Raam <stuk> & open", UUID(int=7).hex)
    assert body.strip().startswith(shown["body"].rstrip("…"))
    assert {name: request.headers[name] for name in ("ttl", "urgency", "topic")} == {
        "ttl": "14400", "urgency": "high", "topic": UUID(int=7).hex,
    }  # fmt: skip
    token, public = request.headers["authorization"].removeprefix("vapid t=").split(",k=")
    key = key_in(key_file).public_key()
    claims = jwt.decode(token, key, ["ES256"], audience=service.url(""))
    assert (public, claims["sub"]) == (text(point_of(key)), "mailto:waarborg@localhost")


def test_a_notice_is_cut_to_what_a_push_service_takes() -> None:
    assert len(notice_of(parcel("x", body="\u20ac" * 9000))) <= 3993


async def test_a_subscription_without_keys_or_with_rubbish_is_undeliverable(
    settings: Settings, key_file: Path
) -> None:
    push = Push(settings, key_in(key_file), PostClient(loopback=True))
    address = Address(url="https://x.example/1", p256dh="AAAA", auth="AAAA")
    for where in (None, address):
        with pytest.raises(Undeliverable):
            await push.send(OutboundMessage(parcel("x").message, "V", address=where), Handed())


@pytest.mark.parametrize(
    ("status", "means"),
    [(404, Gone), (410, Gone), (400, Undeliverable), (503, ConnectionError), (0, Unconfirmed)],
)
async def test_what_an_answer_means(status: int, means: type[Exception]) -> None:
    async with receiver() as room:
        room.status = status
        with pytest.raises(means) as raised:
            await Chat(PostClient(loopback=True)).send(parcel(room.url("/x")), Handed())
    assert type(raised.value) is means


async def test_a_hook_that_leads_inside_is_not_posted_to() -> None:
    async with receiver() as room:
        with pytest.raises(Exception, match="not on the public internet"):
            await Chat(PostClient(loopback=False)).send(parcel(room.url("/x")), Handed())
    assert room.requests == []


def test_channels_that_are_not_set_up_are_not_there(settings: Settings, key_file: Path) -> None:
    told = parcel("x", channel=Channel.PUSH).message
    with pytest.raises(Undeliverable, match="push is not set up here"):
        senders_of(settings).of(told)
    with_push = settings.model_copy(update={"push_key_file": key_file})
    assert isinstance(senders_of(with_push).of(told), Push)


def on_the_wire(what: OutboundMessage, **more: Any) -> EmailMessage:
    letter = letter_of(what, SIGNER, leaves_at=build.T0, sent_from="desk@guards.example", **more)
    read = message_from_bytes(letter.as_bytes(), policy=default)
    assert isinstance(read, EmailMessage)
    return read


def test_letters_about_one_ticket_make_one_thread_and_offer_no_unsubscribing() -> None:
    opened, solved = (
        on_the_wire(parcel("a@b.example", id=UUID(int=n), intent=f"incident:9:{n}"),
                    public_url="https://desk.guards.example") for n in (1, 2)
    )  # fmt: skip
    assert opened["References"] == solved["References"] == "<incident.9@guards.example>"
    assert opened["Message-ID"] != solved["Message-ID"]
    assert opened["List-Unsubscribe"] is None
    assert opened["Feedback-ID"] == "incident_opened:000000000000:waarborg"


def test_what_nobody_has_to_take_is_ended_with_one_click() -> None:
    told = parcel("a@b.example", intent="report:1", topic="reports", unsubscribe_key="KEY")
    letter = on_the_wire(told, public_url="https://desk.guards.example/")
    link = "https://desk.guards.example/u/KEY"
    assert letter["List-Unsubscribe"] == f"<{link}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        part = letter.get_body((kind,))
        assert part is not None
        assert link in part.get_content()


def test_images_stand_inside_the_page_and_files_after_it() -> None:
    files = [
        Enclosure(name="trend.png", media_type="image/png", content=b"PNG", content_id="trend"),
        Enclosure(name="week.pdf", media_type="application/pdf", content=b"PDF", content_id=None),
    ]
    told = parcel("a@b.example", html="<html><body><img src='cid:trend'></body></html>")
    letter = on_the_wire(OutboundMessage(told.message, "V", files))
    kinds = [part.get_content_type() for part in letter.walk()]
    assert kinds == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related",
        "text/html", "image/png", "application/pdf",
    ]  # fmt: skip
    image = next(part for part in letter.walk() if part.get_content_type() == "image/png")
    assert (image["Content-ID"], image.get_content()) == ("<trend>", b"PNG")
    assert letter["Content-Language"] == "nl"
