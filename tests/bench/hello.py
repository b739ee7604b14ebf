"""The yardstick: the least that a Flask route can be, under gunicorn's threaded worker (`hello_conf.py`)."""

from flask import Flask


def create() -> Flask:
    app = Flask("hello", static_folder=None)

    @app.get("/")
    def hello() -> str:
        return "hello, world"

    return app
