"""Activity: who did what, and when."""

from functools import partial

from flask import Blueprint, request

from tripwire_admin_ui.api.calls import ActivityApi, StaffApi
from tripwire_admin_ui.api.client import ApiClient
from tripwire_admin_ui.frame.page_reader import PageReader
from tripwire_admin_ui.presenters.activity_texts import sentence

SHOWN = 50
FIELDS = ("staff_id", "action", "before")


def pages(api: ApiClient) -> Blueprint:
    blueprint = Blueprint("activity", __name__)
    activity, staff = ActivityApi(api), StaffApi(api)

    @blueprint.get("/admin/activity")
    def show() -> str | tuple[str, int]:
        wanted = {name: value for name in FIELDS if (value := request.args.get(name, ""))}
        reader = PageReader(api)
        query = {**wanted, "limit": str(SHOWN)}
        asked = reader.ask(lambda: activity.page(reader.token, reader.budget, query))
        everybody = reader.ask(lambda: staff.everybody(reader.token, reader.budget))
        found, people = reader.read(asked), reader.read(everybody) or ()
        names = {str(one.id): one.email for one in people}
        return reader.show(
            "activity.html", wanted=wanted, found=found, people=people, sentence=partial(sentence, names=names)
        )

    return blueprint
