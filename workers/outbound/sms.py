"""Text message channel: a provider that accepts JSON over HTTP."""

from datetime import timedelta

import msgspec

from domain.core.settings import Settings
from workers.outbound.post import PostClient
from workers.outbound.senders import HandingOver, OutboundMessage

LONGEST = 306  # two parts of 153 characters; the full text is in the portal


class Sms:
    """One provider: `POST sms_url {from, to, text, reference}` with a bearer token and an `Idempotency-Key`.

    A repeat carries the same key, so a provider that knows keys sends it once.
    """

    settles_in = timedelta()

    def __init__(self, settings: Settings, posting: PostClient) -> None:
        self._settings = settings
        self._posting = posting

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Post the text to the provider."""
        place, message = self._settings, outgoing.message
        body = {
            "from": place.sms_from or outgoing.company[:11],
            "to": message.recipient,
            "text": text_of(outgoing),
            "reference": str(message.id),
        }
        headers = {
            "content-type": "application/json",
            "authorization": f"Bearer {place.sms_token.get_secret_value()}",
            "idempotency-key": str(message.id),
        }
        await self._posting.post(place.sms_url, msgspec.json.encode(body), headers, handing_over)

    async def accepted(self, _outgoing: OutboundMessage) -> None:
        """Return None: the provider cannot be asked, and the idempotency key makes a repeat harmless."""
        return


def text_of(outgoing: OutboundMessage) -> str:
    """Return the company and the subject, cut to the length of a text message."""
    text = f"{outgoing.company}: {outgoing.message.subject}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
