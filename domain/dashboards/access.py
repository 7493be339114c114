"""Access rules of dashboards: one's own, and what colleagues share; the values are those that the reader may see."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_

from domain.access import Actor, Right
from domain.access.declarations import AccessRules
from domain.access.rule import Rows


def _own_or_shared(actor: Actor, model: Any) -> ColumnElement[bool]:
    shared = model.shared if actor.may(Right.READ_INTERNAL) else false()
    return and_(model.tenant_id == actor.tenant_id, or_(model.owner == actor.subject, shared))


ACCESS = AccessRules(
    rows={
        "dashboard": Rows(
            (Right.READ_QUALITY,), "own, and those that colleagues share", _own_or_shared
        )
    },
    fields={
        "Dashboard": {None: "id name shared tiles savedAt version"},
        "DashboardTile": {None: "title key window grouping accountId siteId segment tier"},
        "TileValues": {None: "tile values isCut"},
        "TileValue": {None: "label subjectId value"},
    },
    facts={Right.READ_QUALITY: "dashboard.saved dashboard.removed"},
    queries={"dashboards": (), "dashboardValues": (Right.READ_QUALITY,)},
    mutations={Right.SAVE_DASHBOARDS: "saveDashboard removeDashboard"},
)
