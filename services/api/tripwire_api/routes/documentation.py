"""The API's description of itself: OpenAPI 3.1 as JSON, and a page for people made from it."""

from functools import cache
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template
from flask_smorest import Api
from marshmallow import INCLUDE, Schema, fields

from tripwire_shared.answers.answer import schemas

CSP = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"
PROBLEM_TYPE = "application/problem+json"
METHODS = ("get", "post", "put", "patch", "delete")


class ProblemSchema(Schema):
    """RFC 9457; some carry further members, such as the `request_id` of a 409."""

    class Meta:
        unknown = INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True)
    errors = fields.Dict(keys=fields.String(), values=fields.List(fields.String()))


def blueprint(api: Api) -> Blueprint:
    routes = Blueprint("documentation", __name__, template_folder="templates", static_folder="static",
                       static_url_path="/docs/static")  # fmt: skip

    @cache
    def described() -> dict[str, Any]:
        return describe(api.spec.to_dict())

    @routes.get("/openapi.json")
    def openapi() -> Response:
        return jsonify(described())

    @routes.get("/docs")
    def docs() -> Response:
        response = make_response(render_template("docs.html", calls=calls(described())))
        response.headers["Content-Security-Policy"] = CSP
        return response

    return routes


def describe(spec: dict[str, Any]) -> dict[str, Any]:
    """flask-smorest's document, with errors as problem+json and the bearer token that all but a few calls need."""
    spec["info"]["description"] = "Provisions the customers who bought the entry course."
    described = spec.setdefault("components", {}).setdefault("schemas", {})
    described |= schemas()
    spec["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                _errors_as_problems(operation)
                operation["security"] = [] if path.startswith("/api/auth/login") else [{"bearer": []}]
    return spec


def _errors_as_problems(operation: dict[str, Any]) -> None:
    content = {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for status in ("401", "403", "404", "409", "422", "429", "503"):
        operation["responses"][status] = {"description": "Problem", "content": content}
    operation["responses"]["default"] = {"description": "Problem", "content": content}


def calls(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """What the page lists: method, path, what it does, and the fields it takes."""
    listed = []
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method in METHODS:
                listed.append(
                    {
                        "method": method.upper(),
                        "path": path,
                        "summary": operation.get("summary", ""),
                        "fields": _body_fields(spec, operation),
                        "query": [
                            item["name"] for item in operation.get("parameters", []) if item.get("in") == "query"
                        ],
                        "statuses": [status for status in operation["responses"] if status.startswith("2")],
                    }
                )
    return listed


def _body_fields(spec: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    schema = spec["components"]["schemas"].get(name, {})
    required = schema.get("required", [])
    return [{"name": field, "required": field in required} for field in schema.get("properties", {})]
