"""Account teams: who of the company does what for a client, with deputies, and who took over from whom."""

from domain.account_teams.actions import assign, leave
from domain.account_teams.model import Raci, TeamMember, TeamRole
from domain.account_teams.owners import FALLBACK_ROLES, owner_of

__all__ = ["FALLBACK_ROLES", "Raci", "TeamMember", "TeamRole", "assign", "leave", "owner_of"]
