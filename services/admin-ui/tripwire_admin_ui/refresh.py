"""The page's script asks for the same page again, every few seconds, to renew what is shown."""

from flask import request


def is_refresh() -> bool:
    return "Tripwire-Refresh" in request.headers
