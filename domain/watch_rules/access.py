"""Access rules of incidents that the system opened: whoever sees incidents sees why one was opened."""

from domain.access import Right, own_work
from domain.access.declarations import AccessRules
from domain.access.rule import Rows

ACCESS = AccessRules(
    rows={"system_opening": Rows((Right.READ_INCIDENTS,), own=own_work.of_incident_at_hand)},
    row_texts={("system_opening", None): "of incidents that the guard sees"},
    fields={"SystemOpening": {None: "id rule reason openedAt account incident"}},
    facts={Right.READ_INCIDENTS: "system_opening.made"},
    queries={"systemOpenings": ()},
)
