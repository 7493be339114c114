"""Access rules of guards: office roles read profiles, a guard reads the own one, clients none."""

from domain.access import Right, own_work, scopes
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

_PROFILE = Rows(
    (Right.READ_USERS, Right.READ_STAFF),
    "of users with access to nothing else; always one's own",
    scopes.of_accessible_users,
    always=own_work.user_is_self,
)

ACCESS = AccessRules(
    rows={
        "guard_profile": _PROFILE,
        "qualification": _PROFILE,
        "guard_bar": Rows((Right.READ_ROSTER, Right.READ_INTERNAL)),
    },
    row_texts={
        ("guard_profile", None): "the own profile",
        ("qualification", None): "the own qualifications",
    },
    fields={
        "GuardProfile": {
            None: "id employeeNumber passColour passExpiresOn languages contractMinutes version user"
            " qualifications homeLat homeLon",
            Right.READ_MONEY: "hourCostCents",
        },
        "GuardBar": {None: "id barredAt liftedAt account user"},
        "Qualification": {None: "id name expiresOn user"},
    },
    facts={
        Right.READ_STAFF: "guard_profile.set qualification.granted",
        Right.READ_ROSTER: "guard_bar.set guard_bar.lifted",
    },
    queries={"guardProfiles": (), "qualifications": (), "guardBars": ()},
    mutations={Right.ROSTER: "setGuardProfile grantQualification barGuard liftGuardBar"},
)
