"""The manifests say what the product says: its variables, ports, users and times; and each pod may do nothing more."""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.local.services import ROOT
from tripwire_shared.settings import secret_variables, variable_defaults

FOLDER = ROOT / "deploy/kubernetes"
BIN = Path(sys.executable).parent
SERVICES = ("api", "admin-ui", "worker")
OVERLAYS = ("small", "large")
# gunicorn's own.
NOT_OURS = {"WEB_CONCURRENCY"}
WITHOUT_A_SCHEMA = ("ScaledObject", "ServiceMonitor", "PodMonitor")


@cache
def manifests(overlay: str) -> list[dict[str, Any]]:
    made = subprocess.run(
        [BIN / "kubectl", "kustomize", FOLDER / "overlays" / overlay], capture_output=True, check=True
    )
    job = (FOLDER / "migrate.yaml").read_text(encoding="utf-8").replace("VERSION", "0.1.0")
    return [*yaml.safe_load_all(made.stdout), yaml.safe_load(job)]


def of_kind(overlay: str, *kinds: str) -> list[dict[str, Any]]:
    return [one for one in manifests(overlay) if one["kind"] in kinds]


def deployment(overlay: str, name: str) -> dict[str, Any]:
    [found] = [one for one in of_kind(overlay, "Deployment") if one["metadata"]["name"] == name]
    return found


def pods(overlay: str) -> list[dict[str, Any]]:
    return [one["spec"]["template"] for one in of_kind(overlay, "Deployment", "Job")]


def dockerfile(service: str, word: str) -> str:
    text = (ROOT / f"services/{service}/Dockerfile").read_text(encoding="utf-8")
    return re.findall(rf"^{word} (.*)$", text, re.MULTILINE)[-1]


def seconds(service: str) -> int:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return int(compose["services"][service]["stop_grace_period"].removesuffix("s"))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_schemas_hold_strictly(overlay: str, tmp_path: Path) -> None:
    file = tmp_path / "manifests.yaml"
    file.write_text(yaml.safe_dump_all(one for one in manifests(overlay) if one["kind"] not in WITHOUT_A_SCHEMA))
    answer = subprocess.run(
        [BIN / "kubernetes-validate", "--strict", "--quiet", file], capture_output=True, check=False
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_variable_is_one_of_ours(overlay: str) -> None:
    [settings] = [one["data"] for one in of_kind(overlay, "ConfigMap")]
    assert settings.keys() <= variable_defaults().keys()
    example = yaml.safe_load((FOLDER / "secret.example.yaml").read_text(encoding="utf-8"))["stringData"]
    for pod in pods(overlay):
        [container] = pod["spec"]["containers"]
        [secrets] = [volume for volume in pod["spec"]["volumes"] if volume["name"] == "secrets"]
        files = {item["path"] for item in secrets["secret"]["items"]}
        given = {one["name"]: one["value"] for one in container["env"]}
        from_files = {name.removesuffix("_FILE") for name in given if name.endswith("_FILE")}
        assert from_files == files
        assert from_files <= secret_variables() & example.keys()
        assert all(given[f"{name}_FILE"] == f"/run/secrets/{name}" for name in from_files)
        assert {name for name in given if not name.endswith("_FILE")} <= variable_defaults().keys() | NOT_OURS


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_users_and_commands_are_the_images(overlay: str) -> None:
    for service in SERVICES:
        pod = deployment(overlay, service)["spec"]["template"]["spec"]
        [container] = pod["containers"]
        assert f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}" == dockerfile(
            service, "USER"
        )
        port = container["ports"][0]["containerPort"]
        if service == "worker":
            given = {one["name"]: one["value"] for one in container["env"]}
            assert given["WORKER_METRICS_PORT"] == str(port)
        else:
            assert str(port) == dockerfile(service, "EXPOSE")
        assert container["image"].startswith(f"tripwire-{service}:")
        assert not container["image"].endswith(":latest")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted(overlay: str) -> None:
    for pod in pods(overlay):
        spec, [container] = pod["spec"], pod["spec"]["containers"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_come_and_go_one_by_one_and_finish_what_they_began(overlay: str) -> None:
    budgets = {
        one["spec"]["selector"]["matchLabels"]["app"]: one["spec"] for one in of_kind(overlay, "PodDisruptionBudget")
    }
    for service in SERVICES:
        spec = deployment(overlay, service)["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        assert budgets[service]["maxUnavailable"] == 1
        pod = spec["template"]["spec"]
        pause = pod["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert pod["terminationGracePeriodSeconds"] >= seconds(service) + pause
        assert pause > 0 or service == "worker"
        assert pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == {"app": service}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_let_in_or_out_but_what_is_named(overlay: str) -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in of_kind(overlay, "NetworkPolicy")}
    assert policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for pod in pods(overlay):
        name = pod["metadata"]["labels"]["app"]
        assert policies[name]["podSelector"]["matchLabels"] == {"app": name}
    [namespace] = of_kind(overlay, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_figures_are_routed_to_nobody(overlay: str) -> None:
    [ingress] = of_kind(overlay, "Ingress")
    paths = {one["path"]: one["backend"]["service"]["name"] for one in ingress["spec"]["rules"][0]["http"]["paths"]}
    services = {one["metadata"]["name"]: one["spec"] for one in of_kind(overlay, "Service")}
    assert "selector" not in services[paths.pop("/metrics")], "it has no pods"
    assert set(paths.values()) == {"api", "admin-ui"}
    edge = (ROOT / "deploy/compose/edge/Caddyfile").read_text(encoding="utf-8")
    [of_api] = re.findall(r"@api path (.*)", edge)
    routed = {path for path, name in paths.items() if name == "api"}
    assert routed == {path.removesuffix("/*") for path in of_api.split()}


def test_the_script_puts_the_version_in() -> None:
    command = [FOLDER / "deploy.sh", "small", "1.2.3", "--dry-run"]
    environ = {"PATH": f"{BIN}:/usr/bin:/bin", "REGISTRY": "registry.example.com/academy/"}
    answer = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    shown = [one for one in yaml.safe_load_all(answer.stdout) if one and one["kind"] in ("Deployment", "Job")]
    images = {container["image"] for one in shown for container in one["spec"]["template"]["spec"]["containers"]}
    assert images == {f"registry.example.com/academy/tripwire-{service}:1.2.3" for service in SERVICES}
    versions = {
        one["value"] for of in shown for container in of["spec"]["template"]["spec"]["containers"]
        for one in container["env"] if one["name"] == "TRIPWIRE_VERSION"
    }  # fmt: skip
    assert versions == {"1.2.3"}
    for wrong in ([], ["medium", "1"], ["small", "A/b"]):
        assert (
            subprocess.run([FOLDER / "deploy.sh", *wrong], env=environ, capture_output=True, check=False).returncode
            == 2
        )
