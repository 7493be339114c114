"""Enums of accounts, contacts and users; registered before the types that show them."""

from domain.access import Role
from domain.accounts import (
    CadenceTier,
    Channel,
    Complexity,
    ContractType,
    Segment,
    ServiceTier,
    Stage,
)
from schema.core.types import enum

__all__ = [
    "CadenceTier",
    "Channel",
    "Complexity",
    "ContractType",
    "Role",
    "Segment",
    "ServiceTier",
    "Stage",
]

enum(
    Segment,
    "Segment",
    enterprise="A large organisation (enterprise).",
    mid_market="A middle-sized organisation (mid-market).",
    small_business="A small business client.",
)
enum(
    Stage,
    "Stage",
    prospect="Prospect: not a client yet.",
    onboarding="Onboarding: the service is being set up.",
    delivery="Delivery: the service is running.",
    growth="Growth: the client takes more services.",
    renewal="Renewal: the client decides whether to continue.",
    advocacy="Advocacy: the client recommends the company to others.",
)
enum(
    ContractType,
    "ContractType",
    subscription="Subscription: a fee for each period.",
    project="Project: a price for each project.",
    retainer="Retainer: a reserved amount of work.",
    transactional="Transactional: a price for each assignment.",
)
enum(
    Complexity,
    "Complexity",
    simple="One service at one site.",
    moderate="Several services or several sites.",
    complex="Many services at many sites.",
    custom="Made to measure for the client.",
)
enum(
    CadenceTier,
    "CadenceTier",
    strategic="Monthly reviews, weekly check-ins, quarterly social meetings.",
    core="Quarterly reviews, check-ins every two weeks, half-yearly social meetings.",
    standard="Half-yearly reviews, check-ins by activity, yearly social meetings.",
)
enum(
    ServiceTier,
    "ServiceTier",
    basic="Basic: the standard support.",
    enhanced="Enhanced: a dedicated manager, and priority.",
    premium="Premium: also business reviews and training.",
)
enum(
    Channel,
    "Channel",
    email="E-mail to the contact's address.",
    sms="Text message to a phone number.",
    push="Push notification in a browser or app.",
    chat="Message in a chat room.",
    webhook="Webhook: an HTTP call to a partner's system.",
)
enum(
    Role,
    "Role",
    client_user="User of a client: sees the accounts of that client, reports incidents.",
    client_admin="Administrator of a client: also manages the users of that client.",
    guard="Guard: on duty at the sites, reports incidents.",
    dispatcher="Dispatcher: handles incidents around the clock.",
    relationship_manager="Relationship manager: looks after accounts, agreements and incidents.",
    finance="Finance: manages agreements, invoices and credits.",
    management="Management: has every right in the company.",
    partner="Partner: the system of another organisation, with an API key.",
    auditor="Auditor: reads everything, changes nothing.",
    system="System: the software itself, for automatic work.",
)
