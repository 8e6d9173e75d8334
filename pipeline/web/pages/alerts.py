"""The inbox of alerts; its rows are asked for by the page itself, as programs do."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse

from pipeline.api.desk import Desk, DeskOf
from pipeline.api.routing import Routes
from pipeline.api.visitors import VisitorOf
from pipeline.api.words import AlertPath, to_alert
from pipeline.web.rendering import PagesOf
from storage.desk.alerts import alert_name
from storage.desk.pages import LONGEST_PAGE
from storage.desk.rules import rules
from storage.desk.types import AlertState, Role

routes = Routes("pages", prefix="")
EVERY = "all"
StateQuery = Annotated[str, Query(pattern=r"^(new|acknowledged|resolved|false alarm|all)$")]


@routes.get("/alerts", least=Role.VIEWER, include_in_schema=False)
def show_alerts(
    request: Request,
    visitor: VisitorOf,
    desk: DeskOf,
    pages: PagesOf,
    state: StateQuery = AlertState.NEW.value,
) -> Response:
    """One tab per state, and one for all."""
    return pages.show(
        request,
        "alerts.html",
        title="Alerts",
        states=[*(each.value for each in AlertState), EVERY],
        state=state,
        cameras=list(desk.cameras(visitor)),
        rules=_rule_names(desk) if visitor.cameras is None else [],
    )


@routes.get("/alerts/{name}", least=Role.VIEWER, include_in_schema=False)
def show_alert(name: AlertPath) -> RedirectResponse:
    """Where messages about an alert lead to."""
    return RedirectResponse(f"/alerts?state={EVERY}&alert={alert_name(to_alert(name))}", 303)


def _rule_names(desk: Desk) -> list[str]:
    """Of all rules, for the filter."""
    standing = {rule.name for rule in rules(desk.database, limit=LONGEST_PAGE).items}
    return sorted(standing | {rule.name for rule in desk.config.alerts.rules})
