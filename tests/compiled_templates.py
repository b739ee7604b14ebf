"""Each test has an app of its own; what Jinja compiles is kept for all of them (a page is 0.3 s of it)."""

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Kept(BytecodeCache):
    """By the text of the template: an app that changes what is loaded gets its own."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        compiled = self._compiled.get((bucket.key, bucket.checksum))
        if compiled is not None:
            bucket.bytecode_from_string(compiled)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_KEPT = _Kept()


def with_compiled_templates(app: Flask) -> Flask:
    app.jinja_env.bytecode_cache = _KEPT
    return app
