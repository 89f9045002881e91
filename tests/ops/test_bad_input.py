"""A taken port, no broker, a wrong password, an expired certificate, a full disk: one clear line, the right code."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tests.conftest import ROOT, SAMPLE
from tests.kafka.broker import PASSWORD, USER, KafkaBroker, free_ports
from tests.kafka.waiting import wait_for
from workers.kafka.exit_codes import ExitCode


def samewire(
    *arguments: str, settings: dict[str, str], timeout: float = 400
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | {f"SAMEWIRE_{key}": value for key, value in settings.items()}
    return subprocess.run(
        [sys.executable, "-m", "workers.cli", *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def last_event(result: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """Return the event `worker_ended`."""
    events = [orjson.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    (ended,) = [event for event in events if event["event"] == "worker_ended"]
    return dict(ended)


def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for command in (
            ["sign"],
            ["match"],
            ["run", "--input", str(SAMPLE), "--output", "x", "--state", "y"],
        ):
            result = samewire(*command, "--metrics-port", port, settings={"LOG__FORMAT": "json"})
            assert result.returncode == 2
            assert result.stderr.startswith(
                f"samewire: metrics port 127.0.0.1:{port}: Address already in use"
            )
            assert result.stderr.count("\n") == 1


def test_an_unreachable_broker_is_retried_counted_and_named() -> None:
    broker, port = free_ports(2)
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": f'["127.0.0.1:{broker}"]',
        "KAFKA__WATCHDOG__STARTUP_SECONDS": "6",
        "LOG__FORMAT": "json",
        "METRICS__PORT": str(port),
    }
    seen: list[str] = []

    def scrape() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
                text = answer.read().decode()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1)
            except urllib.error.HTTPError as error:
                seen.append(error.read().decode())
        except OSError:
            return False
        found = [line for line in text.splitlines() if line.startswith("samewire_broker_failures_total")]
        return any('kind="unreachable"' in line and not line.endswith(" 0.0") for line in found)

    counted: list[bool] = []
    watcher = threading.Thread(
        target=lambda: counted.append(bool(wait_for("the metric", scrape, seconds=60, every=0.1)))
    )
    watcher.start()
    result = samewire("sign", settings=settings)
    watcher.join()
    assert result.returncode == ExitCode.BROKER_UNREACHABLE
    assert str(last_event(result)["error"]).startswith(f"no broker answered at 127.0.0.1:{broker} within 6 s")
    assert "kafka_unreachable" in result.stderr
    assert "Traceback" not in result.stderr
    assert counted == [True]
    assert any("broker_unreachable" in body for body in seen)


@pytest.mark.kafka
def test_a_wrong_password_ends_at_once_without_showing_it(live_broker: KafkaBroker) -> None:
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": f'["127.0.0.1:{live_broker.sasl_port}"]',
        "KAFKA__SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "KAFKA__SASL__MECHANISM": "PLAIN",
        "KAFKA__SASL__USERNAME": USER,
        "KAFKA__SASL__PASSWORD": f"not-{PASSWORD}",
        "KAFKA__WATCHDOG__STARTUP_SECONDS": "20",
        "LOG__FORMAT": "json",
    }
    result = samewire("match", settings=settings)
    # the broker hangs up right after its refusal, and the client may see only that
    told = str(last_event(result)["error"])
    if result.returncode == ExitCode.CREDENTIALS_REFUSED:
        assert "check security_protocol and the sasl section" in told
    else:
        assert result.returncode == ExitCode.BROKER_UNREACHABLE
        assert "that the login is right" in told
    assert PASSWORD not in result.stderr
    assert "Traceback" not in result.stderr


@pytest.fixture
def expired(tmp_path: Path, needs: Callable[..., None]) -> Iterator[tuple[int, Path]]:
    """A TLS port whose certificate ran out; yields the port and the CA file that signed it."""
    needs("openssl")
    (tmp_path / "ca.conf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\n"
        "policy=p\nx509_extensions=x\n[p]\ncommonName=supplied\n[x]\nsubjectAltName=IP:127.0.0.1\n"
    )
    (tmp_path / "index.txt").touch()
    (tmp_path / "serial").write_text("01\n")
    commands = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout broker.key -out broker.csr",
        "ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -in broker.csr -out broker.pem"
        " -startdate 20200101000000Z -enddate 20210101000000Z -notext",
    )
    for command in commands:
        subprocess.run(["openssl", *command.split()], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "broker.pem", tmp_path / "broker.key")
    server = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def answer() -> None:
        while not stopped.is_set():
            try:
                connection, _ = server.accept()
            except OSError:
                return
            try:
                context.wrap_socket(connection, server_side=True).close()
            except OSError:
                connection.close()

    threading.Thread(target=answer, daemon=True).start()
    yield server.getsockname()[1], tmp_path / "ca.pem"
    stopped.set()
    server.close()


def test_an_expired_certificate_is_named(expired: tuple[int, Path]) -> None:
    port, authority = expired
    settings = {
        "KAFKA__BOOTSTRAP_SERVERS": f'["127.0.0.1:{port}"]',
        "KAFKA__SECURITY_PROTOCOL": "SSL",
        "KAFKA__TLS__CA_FILE": str(authority),
        "KAFKA__WATCHDOG__STARTUP_SECONDS": "3",
        "LOG__FORMAT": "json",
    }
    result = samewire("sign", settings=settings)
    assert result.returncode in (ExitCode.BROKER_UNREACHABLE, ExitCode.CREDENTIALS_REFUSED)
    assert "certificate has expired" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_full_disk_ends_the_run_and_the_state_stays_whole(tmp_path: Path) -> None:
    state, output = tmp_path / "state", tmp_path / "out.jsonl"
    common = ["run", "--quiet", "--input", str(SAMPLE), "--state", str(state), "--output"]
    full = samewire(*common, "/dev/full", settings={"LOG__FORMAT": "json"})
    assert full.returncode == 4
    complaint = [line for line in full.stderr.splitlines() if line.startswith("samewire: ")]
    assert complaint == [
        "samewire: output /dev/full: No space left on device; make room and run the same command again"
    ]
    assert "Traceback" not in full.stderr
    assert samewire(*common, str(output), settings={"LOG__FORMAT": "json"}).returncode == 0
    assert len(output.read_bytes().splitlines()) == len(SAMPLE.read_bytes().splitlines())
