"""Access control: roles, rights, and the table of who may see and do what (rows, fields, operations and facts)."""

from domain.access.actor import Actor
from domain.access.facts import is_shown_to_clients, is_visible, visible_facts
from domain.access.rights import CLIENTS, Right, Role
from domain.access.rows_by_id import row_of
from domain.access.scopes import managed_users
from domain.access.tx import Tx
from domain.access.visibility import is_position_visible, visible_to, workable_by
from domain.core.ledger import Origin

__all__ = [
    "CLIENTS",
    "Actor",
    "Origin",
    "Right",
    "Role",
    "Tx",
    "is_position_visible",
    "is_shown_to_clients",
    "is_visible",
    "managed_users",
    "row_of",
    "visible_facts",
    "visible_to",
    "workable_by",
]
