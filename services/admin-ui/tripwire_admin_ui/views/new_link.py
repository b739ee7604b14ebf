"""A new link for a customer, mailed or to hand over, asked for on several pages; what came of it, as a notice."""

from uuid import UUID

from tripwire_admin_ui.api.calls import CustomersApi
from tripwire_admin_ui.api.failures import TooSoon
from tripwire_admin_ui.auth.guards import person
from tripwire_admin_ui.presenters.formatting import duration


def send_new_link(customers: CustomersApi, user_id: UUID, email: str) -> tuple[str, str]:
    """Title and text."""
    try:
        customers.resend_welcome(person().token, user_id)
    except TooSoon as failure:
        return too_soon(failure)
    return "A new link is on its way", f"To {email}. The old link no longer works."


def too_soon(failure: TooSoon) -> tuple[str, str]:
    """Title and text."""
    wait = "a minute" if failure.wait_seconds is None else duration(failure.wait_seconds)
    text = f"The last link is less than a minute old, and it still works. You can ask for another in {wait}."
    return "No new link was made", text
