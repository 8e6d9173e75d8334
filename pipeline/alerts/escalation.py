"""Which alerts nobody looked after for too long. Pure: given alerts and the time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.alerts.settings import US
from storage.desk.alerts import Alert
from storage.desk.types import AlertState


def overdue(
    alerts: Iterable[Alert],
    *,
    now_us: int,
    after_s: float,
    of_rule_s: Mapping[str, float],
) -> list[Alert]:
    """Those of the alerts that are to be told once more, in their order.

    Args:
        alerts: Not escalated before.
        after_s: Seconds that an alert may stay new; 0: for ever.
        of_rule_s: The same for rules, by name, that say so themselves.
    """
    found: list[Alert] = []
    for alert in alerts:
        patience_s = of_rule_s.get(alert.rule, after_s)
        is_late = now_us - alert.raised_at_us >= patience_s * US
        if patience_s > 0 and is_late and alert.state is AlertState.NEW:
            found.append(alert)
    return found
