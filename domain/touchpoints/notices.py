"""Check-in messages of planned touchpoints."""

from domain import messages
from domain.access import Tx
from domain.accounts.model import Tenant
from domain.touchpoints.reads import CheckInDue, intent_of


async def send_check_in(tx: Tx, due: CheckInDue) -> None:
    """Ask the contacts of a client how the service was since the last touchpoint."""
    tenant = await tx.session.get_one(Tenant, due.account.tenant_id)
    await messages.compose(
        tx,
        due.account.id,
        intent=intent_of(due.touchpoint.id),
        template=messages.CheckIn,
        variables={
            "company": tenant.name,
            "account": due.account.name,
            "since_on": due.touchpoint.anchor_on,
            "tickets": due.incidents,
            "kept": due.kept,
            "promised": due.promised,
        },
    )
