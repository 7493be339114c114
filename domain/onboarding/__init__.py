"""Onboarding: the default agreement, escalation policy, touchpoints and reports of a new account, applied at once."""

from domain.onboarding.actions import AppliedDefault, AppliedDefaults, DefaultPart, apply_defaults

__all__ = ["AppliedDefault", "AppliedDefaults", "DefaultPart", "apply_defaults"]
