"""Chat channel: posts messages to rooms of Slack, Teams, or a service with Slack's hooks (Mattermost, Rocket.Chat)."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec

from domain.messages import Message
from workers.outbound.post import PostClient
from workers.outbound.senders import HandingOver, OutboundMessage

_TEAMS = (".office.com", ".logic.azure.com", ".powerplatform.com")


class Chat:
    """Incoming webhooks of chat rooms. They know no message ids, so a post without an answer is sent again."""

    settles_in = timedelta()

    def __init__(self, posting: PostClient) -> None:
        self._posting = posting

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Post the message to the room's webhook."""
        url = outgoing.message.recipient
        body = card(outgoing.message) if is_teams(url) else slack(outgoing.message)
        headers = {"content-type": "application/json"}
        await self._posting.post(url, msgspec.json.encode(body), headers, handing_over)

    async def accepted(self, _outgoing: OutboundMessage) -> None:
        """Return None: a webhook cannot be asked what it accepted."""
        return


def is_teams(url: str) -> bool:
    """Return whether a URL is a webhook of Teams, which expects cards."""
    return (urlsplit(url).hostname or "").endswith(_TEAMS)


def slack(message: Message) -> dict[str, Any]:
    """Render a message for Slack: a bold subject and the text; &, < and > are the only characters to escape."""
    parts = [_quiet(part) for part in (message.subject, message.body.strip())]
    return {"text": f"*{parts[0]}*\n{parts[1]}"}


def _quiet(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def card(message: Message) -> dict[str, Any]:
    """Render a message as an adaptive card for Teams' workflows, one block per paragraph."""
    paragraphs = [part for part in message.body.strip().split("\n\n") if part.strip()]
    blocks = [{"type": "TextBlock", "text": message.subject, "weight": "bolder", "wrap": True}]
    blocks += [{"type": "TextBlock", "text": part, "wrap": True} for part in paragraphs]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": content}]}
