"""rq-dashboard's templates as they should be: nothing that comes from Redis or the address gets into a page unescaped.

It fills underscore.js templates with `<%= %>`, which escapes nothing (description, error, result, metadata, names), and
writes a queue's name from the address into script as if it were HTML. Both are put right in the text of each template
as it is loaded; which files those are does not matter, so that a newer version is covered as well.
"""

import re
from collections.abc import Callable

from jinja2 import BaseLoader, Environment

FOLDER = "rq_dashboard/"
# What they escape by hand already, else it would be escaped twice.
BY_HAND = re.compile(r"<%=\s*\$\('<div/>'\)\.text\((?P<value>[^)]*)\)\.html\(\)\s*%>")
QUOTED_IN_SCRIPT = re.compile(r"'\{\{\s*(?P<value>[\w.]+)\s*\}\}'")


def escaped(name: str, source: str) -> str:
    source = BY_HAND.sub(lambda match: f"<%- {match['value']} %>", source)
    source = source.replace("<%=", "<%-")
    if name.endswith(".js"):
        source = QUOTED_IN_SCRIPT.sub(lambda match: f"{{{{ {match['value']}|tojson }}}}", source)
    return source


class EscapingLoader(BaseLoader):
    """The app's own loader, with rq-dashboard's templates put right on the way."""

    def __init__(self, loader: BaseLoader | None) -> None:
        self._loader = loader

    def get_source(self, environment: Environment, template: str) -> tuple[str, str | None, Callable[[], bool] | None]:
        assert self._loader is not None
        source, path, is_current = self._loader.get_source(environment, template)
        return (escaped(template, source) if template.startswith(FOLDER) else source), path, is_current

    def list_templates(self) -> list[str]:
        return self._loader.list_templates() if self._loader else []
