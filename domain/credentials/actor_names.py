"""Actor of facts about a sign-in, before anybody is signed in."""

from uuid import UUID

from domain.access import Actor


def as_user(tenant_id: UUID, user_id: UUID) -> Actor:
    """Return the user as the actor of facts about the user's own sign-in."""
    named = Actor.system(tenant_id, "sign-in")
    return Actor(tenant_id, named.role, f"user:{user_id}")
