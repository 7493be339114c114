"""The channels that the settings set up."""

from domain.accounts.model import Channel
from domain.settings import Settings
from workers.chat import Chat
from workers.posting import Posting
from workers.push import Push, key_in
from workers.senders import Sender, Senders
from workers.sms import Sms
from workers.smtp import Email, post_of


def senders_of(settings: Settings) -> Senders:
    """E-mail and chat always; text messages and web push where they are set up."""
    posting = Posting(loopback=settings.webhook_loopback)
    found: dict[Channel, Sender] = {
        Channel.EMAIL: Email(settings, post_of(settings)),
        Channel.CHAT: Chat(posting),
    }
    if settings.sms_url:
        found[Channel.SMS] = Sms(settings, posting)
    if settings.push_key_file is not None:
        found[Channel.PUSH] = Push(settings, key_in(settings.push_key_file), posting)
    return Senders(found)
