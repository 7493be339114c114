"""Advocacy: clients who recommend the company: referrals, case studies, reference calls and champions."""

from domain.advocacy.calls import agree_call, cancel_call, hold_call, request_call
from domain.advocacy.champions import end_champion, forget_contact, name_champion
from domain.advocacy.model import (
    CallState,
    CaseStudy,
    CaseStudyState,
    Champion,
    ChampionEnd,
    ReferenceCall,
    Referral,
    ReferralState,
    StudyChannel,
)
from domain.advocacy.reads import agrees_to_be_named, made_referrals, published_studies
from domain.advocacy.referrals import ReferralMove, make_referral, move_referral
from domain.advocacy.rules import ShownCaseStudy, structured_study
from domain.advocacy.studies import (
    ConsentDraft,
    change_study,
    consent_to_study,
    decline_study,
    draft_study,
    offer_study,
    publish_study,
    withdraw_study,
)

__all__ = [
    "CallState",
    "CaseStudy",
    "CaseStudyState",
    "Champion",
    "ChampionEnd",
    "ConsentDraft",
    "ReferenceCall",
    "Referral",
    "ReferralMove",
    "ReferralState",
    "ShownCaseStudy",
    "StudyChannel",
    "agree_call",
    "agrees_to_be_named",
    "cancel_call",
    "change_study",
    "consent_to_study",
    "decline_study",
    "draft_study",
    "end_champion",
    "forget_contact",
    "hold_call",
    "made_referrals",
    "make_referral",
    "move_referral",
    "name_champion",
    "offer_study",
    "publish_study",
    "published_studies",
    "request_call",
    "structured_study",
    "withdraw_study",
]
