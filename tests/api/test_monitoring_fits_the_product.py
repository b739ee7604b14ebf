"""Rules and dashboard name figures that the services have, runbook sections that exist, and the product's ports."""

import json
import re
from typing import Any

import pytest
import yaml

from deploy.local.services import ROOT
from tests.api.conftest import ApiUnderTest
from tripwire_admin_ui.frame.page_meter import PageMeter
from tripwire_worker.meter import AttemptMeter

FOLDER = ROOT / "deploy/monitoring"
RULES = [
    rule for group in yaml.safe_load((FOLDER / "rules.yml").read_text())["groups"] for rule in group["rules"]
]  # fmt: skip
NAME = re.compile(r"\btripwire_[a-z_]+")


def expressions() -> list[str]:
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    return [rule["expr"] for rule in RULES] + [target["expr"] for panel in panels for target in panel["targets"]]


def family(name: str) -> str:
    return re.sub("_(total|bucket|count|sum)$", "", name)


def test_every_figure_exists(api: ApiUnderTest) -> None:
    api.nobody.post("/api/admin/tripwire/users", json={})
    page = api.nobody.get("/metrics").get_data(as_text=True)
    exposed = set(re.findall(r"^# TYPE (\S+)", page, re.MULTILINE))
    for registry in (AttemptMeter().registry, PageMeter("1").registry):
        exposed |= {metric.name for metric in registry.collect()}
    named = {family(name) for expression in expressions() for name in NAME.findall(expression)}
    assert {"tripwire_creates", "tripwire_attempts", "tripwire_oldest_request_seconds"} <= named
    assert named <= {family(name) for name in exposed}


def test_every_alert_names_a_section_of_the_runbook() -> None:
    headings = set(re.findall(r"^## (.*)$", (ROOT / "deploy/README.md").read_text(encoding="utf-8"), re.MULTILINE))
    for rule in RULES:
        assert rule["annotations"]["runbook"] in headings, rule["alert"]


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load((FOLDER / "rules.test.yml").read_text())["tests"]
    assert tests[0]["promql_expr_test"][0]["exp_samples"][0]["value"] == len(RULES)


@pytest.mark.parametrize(
    ("job", "file"),
    [
        ("api", "services/api/Dockerfile"),
        ("admin-ui", "services/admin-ui/Dockerfile"),
        ("worker", "docker-compose.yml"),
    ],
)
def test_the_ports_are_the_product_s(job: str, file: str) -> None:
    jobs: list[dict[str, Any]] = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    [port] = [one["dns_sd_configs"][0]["port"] for one in jobs if one["job_name"] == job]
    words = dict.fromkeys(("api", "admin-ui"), f"EXPOSE {port}\n") | {"worker": f'WORKER_METRICS_PORT: "{port}"\n'}
    assert words[job] in (ROOT / file).read_text(encoding="utf-8")


def test_every_link_within_the_runbook_leads_to_a_section() -> None:
    text = (ROOT / "deploy/README.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^## (.*)$", text, re.MULTILINE)
    }
    named = set(re.findall(r"\]\(#([\w-]+)\)", text))
    assert named <= anchors
    assert len(named) > 3
