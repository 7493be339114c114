"""The channels that the settings set up."""

from domain.accounts.model import Channel
from domain.settings import Settings
from workers.senders import Sender, Senders
from workers.smtp import Email, post_of


def senders_of(settings: Settings) -> Senders:
    """E-mail always; the others where they are set up."""
    found: dict[Channel, Sender] = {Channel.EMAIL: Email(settings, post_of(settings))}
    return Senders(found)
