"""The channels that the settings configure."""

from domain.accounts.model import Channel
from domain.core.settings import Settings
from workers.outbound.chat import Chat
from workers.outbound.post import PostClient
from workers.outbound.push import Push, key_in
from workers.outbound.senders import Office, Sender, Senders, base_url
from workers.outbound.sms import Sms
from workers.outbound.smtp import Email, letter_transport


def senders_of(settings: Settings) -> Senders:
    """Return the senders: e-mail and chat always, text messages and web push where configured."""
    post = letter_transport(settings)
    posting = PostClient(loopback=settings.webhook_loopback)
    found: dict[Channel, Sender] = {
        Channel.EMAIL: Email(settings, post),
        Channel.CHAT: Chat(posting),
    }
    if settings.sms_url:
        found[Channel.SMS] = Sms(settings, posting)
    if settings.push_key_file is not None:
        found[Channel.PUSH] = Push(settings, key_in(settings.push_key_file), posting)
    return Senders(found, Office(post, settings.smtp_from, base_url(settings)))
