"""Access rules of parameters and their values."""

from domain.access import Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows
from domain.access.scopes import in_accounts_or_general

ACCESS = AccessRules(
    rows={
        "parameter_value": Rows(
            (Right.READ_SETTINGS,),
            "accessible accounts, and what applies to all accounts",
            in_accounts_or_general,
        )
    },
    fields={
        "ParameterQuantity": {None: "numbers unit"},
        "AllowedRange": {None: "unit minimum maximum"},
        "ParameterDefinition": {
            None: "name description default tierDefaults allowed count levels tiers"
        },
        "TierDefault": {None: "tier quantity"},
        "EffectiveParameter": {
            None: "name definition value source validFrom",
            Right.READ_SETTINGS: "setting",
        },
        "ParameterValue": {
            None: "id name level tier value validFrom setAt account site",
            Right.READ_ACTORS: "setBy",
        },
        "Account": {None: "parameters"},
        "Site": {None: "parameters"},
    },
    facts={Right.READ_SETTINGS: "parameter.set parameter.reset"},
    queries={"parameters": (), "parameterValues": ()},
    mutations={Right.MANAGE_ACCOUNTS: "setParameter resetParameter"},
)
