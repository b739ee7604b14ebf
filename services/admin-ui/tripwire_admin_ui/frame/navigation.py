"""The menu: which pages it names for whom, in which order, and the key that leads there after `g`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """`icon` is one of the shapes in components.html; `key` is pressed after `g`."""

    endpoint: str
    name: str
    icon: str
    key: str
    also: tuple[str, ...] = ()

    @property
    def blueprints(self) -> tuple[str, ...]:
        """Every page of them stands under this entry."""
        return (self.endpoint.partition(".")[0], *self.also)


FOR_ADMINS = (
    Entry("dashboard.show", "Dashboard", "home", "d"),
    Entry("system_health.show", "System Health", "pulse", "h"),
    Entry("requests.show", "Requests", "list", "r", ("one_request",)),
    Entry("customers.show", "Customers", "people", "c", ("one_customer", "new_customer")),
    Entry("staff.show", "Staff", "badge", "s", ("tokens",)),
    Entry("activity.show", "Activity", "book", "a"),
    Entry("rq_dashboard.queues_overview", "Queue", "queue", "q"),
)
FOR_SALES = (
    Entry("customers.show", "My customers", "people", "c", ("one_customer", "new_customer")),
    Entry("requests.show", "My requests", "list", "r", ("one_request",)),
)


def entries(*, is_admin: bool) -> tuple[Entry, ...]:
    """The menu of a person."""
    return FOR_ADMINS if is_admin else FOR_SALES
