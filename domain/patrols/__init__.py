"""Patrols: routes with points and tags at sites, rounds, and the scans that prove the visits."""

from domain.patrols.clocks import PATROL_ROUND, PATROL_VISIT
from domain.patrols.model import (
    PatrolOrder,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolScan,
    PatrolTag,
    PatrolUpload,
    PatrolVisit,
    PointKind,
    RoundState,
    ScanReason,
)
from domain.patrols.planning import cancel_round, plan_rounds
from domain.patrols.proofs import ClaimedPosition, ScanDraft
from domain.patrols.rounds import DUE, look_at_round, rounds_due
from domain.patrols.routes import PointDraft, RouteDraft, add_route, end_route
from domain.patrols.tags import TagDraft, issue_tag, revoke_tag
from domain.patrols.uploading import upload_scans

__all__ = [
    "DUE",
    "PATROL_ROUND",
    "PATROL_VISIT",
    "ClaimedPosition",
    "PatrolOrder",
    "PatrolPoint",
    "PatrolRound",
    "PatrolRoute",
    "PatrolScan",
    "PatrolTag",
    "PatrolUpload",
    "PatrolVisit",
    "PointDraft",
    "PointKind",
    "RoundState",
    "RouteDraft",
    "ScanDraft",
    "ScanReason",
    "TagDraft",
    "add_route",
    "cancel_round",
    "end_route",
    "issue_tag",
    "look_at_round",
    "plan_rounds",
    "revoke_tag",
    "rounds_due",
    "upload_scans",
]
