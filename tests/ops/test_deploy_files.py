"""Dockerfile, compose file, Kubernetes manifests and systemd units, checked by the tools that know them."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import compose_spec
import kubernetes_validate
import numba
import pytest
import yaml

from config.settings import ENVIRONMENT_PREFIX, known_keys, load_settings
from tests.conftest import ROOT, SAMPLE
from workers.kafka.exit_codes import ExitCode

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
OVERLAYS = ("base", "production")
Document = dict[str, Any]


def rendered(overlay: str) -> list[Document]:
    """Return what kustomize makes of a folder."""
    command = ["kubectl", "kustomize", str(DEPLOY / "kubernetes" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def pods(documents: list[Document]) -> dict[str, Document]:
    """Return the pod templates' specifications by name of their owner."""
    return {
        d["metadata"]["name"]: d["spec"]["template"]["spec"]
        for d in documents
        if "template" in d.get("spec", {})
    }


# --- Docker


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_image_is_built_from_files_that_are_there_and_not_ignored() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    kept = {
        line[1:]
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == each or source.startswith(each + "/") for each in kept), source
    assert re.search(r"^USER 10001", text, re.MULTILINE)
    assert "HEALTHCHECK" in text


@pytest.mark.timeout(600)
def test_the_baked_cache_serves_another_machine(tmp_path: Path) -> None:
    """The image's commands: compile for a portable processor, copy the cache, and compile nothing again."""
    text = (DEPLOY / "Dockerfile").read_text()
    cpu = re.search(r"^ARG CPU=(.+)$", text, re.MULTILINE)
    assert cpu
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "NUMBA_CPU_NAME": cpu[1],
        "NUMBA_CPU_FEATURES": "",
    }

    def warm(cache: Path, folder: Path) -> None:
        folder.mkdir()
        command = [sys.executable, str(DEPLOY / "docker" / "warm.py"), str(SAMPLE), str(folder)]
        subprocess.run(command, env=environment | {"NUMBA_CACHE_DIR": str(cache)}, check=True, timeout=500)

    baked = tmp_path / "baked"
    warm(baked, tmp_path / "first")
    code = {file.relative_to(baked) for file in baked.rglob("*.nbc")}
    assert len(code) >= 5
    for file in baked.rglob("*.nbi"):
        assert cpu[1].encode() in file.read_bytes(), "the index names the processor"
    copied = tmp_path / "copied"
    shutil.copytree(baked, copied)
    warm(copied, tmp_path / "second")
    assert {file.relative_to(copied) for file in copied.rglob("*.nbc")} == code
    assert numba.__version__


def pins(file: Path) -> dict[str, str]:
    """Return the versions of a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.*?\])?==(\S+)", file.read_text(), re.MULTILINE))


def test_the_image_has_the_locked_versions_of_what_runs_and_no_more() -> None:
    whole, image = pins(ROOT / "requirements.lock"), pins(DEPLOY / "docker" / "requirements.lock")
    assert image.items() <= whole.items(), "run `make lock`"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {re.split(r"[\[<>=!]", each)[0] for each in project["dependencies"]} <= set(image)
    assert not {"pytest", "mypy", "matplotlib"} & set(image)


# --- compose


def test_the_compose_file_is_valid() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    merged = yaml.safe_dump(yaml.safe_load(text))  # with the anchors' merges resolved
    compose = compose_spec.PyCompose.from_yaml(merged)
    compose.validate()
    services = yaml.safe_load(text)["services"]
    assert {"kafka", "sign-0", "sign-1", "match-0", "match-1", "prometheus", "grafana"} <= set(services)
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), "nothing is offered to the network unasked"
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (
                (DEPLOY / source).exists()
                if source.startswith(".")
                else source in ("kafka", "prometheus", "grafana")
            )


def test_the_composed_workers_are_those_that_prometheus_scrapes() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yaml").read_text())["scrape_configs"][0]
    targets = {
        target.split(":")[0]: static["labels"]["role"]
        for static in scraped["static_configs"]
        for target in static["targets"]
    }
    assert targets == {n: s["command"][0] for n, s in services.items() if n.startswith(("sign", "match"))}
    for name in targets:
        assert services[name]["read_only"]
        assert services[name]["cap_drop"] == ["ALL"]


def test_every_setting_in_an_environment_exists() -> None:
    known = {ENVIRONMENT_PREFIX + key.upper().replace(".", "__") for key in known_keys()}
    for file in (f for f in DEPLOY.rglob("*") if f.is_file() and f.suffix not in (".json", ".pyc")):
        for name in re.findall(r"\bSAMEWIRE_[A-Z_]+[A-Z]\b", file.read_text("utf-8")):
            assert name in known, (file, name)


# --- Kubernetes


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_manifests_are_valid(overlay: str, needs: Callable[..., None]) -> None:
    needs("kubectl")
    kinds = set()
    for document in rendered(overlay):
        kinds.add(document["kind"])
        if document["kind"] in ("ScaledObject", "PodMonitor"):  # their schemas are not Kubernetes' own
            continue
        kubernetes_validate.validate(document, "1.33", strict=True)
    assert kinds >= {
        "Deployment",
        "StatefulSet",
        "PodDisruptionBudget",
        "NetworkPolicy",
        "ScaledObject",
        "PodMonitor",
    }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_are_locked_down_probed_and_bounded(overlay: str, needs: Callable[..., None]) -> None:
    needs("kubectl")
    for name, pod in pods(rendered(overlay)).items():
        assert pod["securityContext"]["runAsNonRoot"], name
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]
        assert container["resources"]["limits"]["memory"]
        if name != "topics":
            paths = {
                probe: container[probe]["httpGet"]["path"] for probe in ("livenessProbe", "readinessProbe")
            }
            assert paths == {"livenessProbe": "/healthz", "readinessProbe": "/readyz"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_selectors_names_and_settings_fit_together(
    overlay: str, needs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("kubectl")
    documents = rendered(overlay)
    components = {
        d["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
        for d in documents
        if "template" in d.get("spec", {})
    }
    for document in documents:
        if document["kind"] in ("PodDisruptionBudget", "Deployment", "StatefulSet"):
            assert document["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] in components
    (scaled,) = [d for d in documents if d["kind"] == "ScaledObject"]
    assert scaled["spec"]["scaleTargetRef"]["name"] in pods(documents)
    monkeypatch.setenv("SAMEWIRE_KAFKA__SASL__USERNAME", "u")
    monkeypatch.setenv("SAMEWIRE_KAFKA__SASL__PASSWORD", "p")
    if overlay == "base":
        monkeypatch.delenv("SAMEWIRE_KAFKA__SASL__USERNAME")
        monkeypatch.delenv("SAMEWIRE_KAFKA__SASL__PASSWORD")
    settings = load_settings(DEPLOY / "kubernetes" / overlay / "samewire.toml")
    trigger = scaled["spec"]["triggers"][0]["metadata"]
    assert trigger["topic"] == settings.kafka.topics.articles
    assert trigger["consumerGroup"] == settings.kafka.groups.sign
    assert scaled["spec"]["maxReplicaCount"] <= settings.kafka.topics.articles_partitions
    assert trigger["bootstrapServers"].split(",") == settings.kafka.bootstrap_servers
    (match,) = [d for d in documents if d["kind"] == "StatefulSet"]
    assert match["spec"]["replicas"] == settings.kafka.desks.count + 1, "an owner for each desk and a standby"


# --- systemd


def test_systemd_takes_the_units(tmp_path: Path, needs: Callable[..., None]) -> None:
    needs("systemd-analyze")
    for unit in UNITS:
        text = unit.read_text().replace("/opt/samewire/venv/bin/samewire", sys.executable)
        (tmp_path / unit.name).write_text(re.sub(r"^(User|Group)=.*$", "", text, flags=re.MULTILINE))
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_do_not_restart_what_a_restart_does_not_help(unit: Path) -> None:
    found = re.search(r"^RestartPreventExitStatus=(.+)$", unit.read_text(), re.MULTILINE)
    assert found
    final = {int(code) for code in ExitCode if not code.restart_helps and code is not ExitCode.OK}
    embedded = {2, 3, 5, 6}  # pipeline.errors; 4 is a full disk, which may get room
    expected = embedded if unit.stem == "samewire-run" else final | {2}
    assert {int(code) for code in found[1].split()} == expected


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_run_commands_that_exist(unit: Path) -> None:
    found = re.search(r"^ExecStart=/opt/samewire/venv/bin/samewire (.+)$", unit.read_text(), re.MULTILINE)
    assert found
    command, *arguments = found[1].replace("%i", "0").split()
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", command, "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin", "COLUMNS": "200", "TERM": "dumb"},
    )
    for option in (argument for argument in arguments if argument.startswith("--")):
        assert option in done.stdout


# --- all of it


def test_no_file_has_a_secret() -> None:
    secret = re.compile(r"(?i)(password|secret|token|api[_-]?key)\s*[:=]\s*[\"']?[A-Za-z0-9/+_-]{8,}")
    key = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY")
    for file in (f for f in DEPLOY.rglob("*") if f.is_file() and f.suffix != ".pyc"):
        text = file.read_text("utf-8")
        assert not key.search(text), file
        for found in secret.finditer(text):
            assert "/etc/" in found[0] or "automount" in text[: found.start()].rsplit("\n", 1)[-1], (
                file,
                found[0],
            )
