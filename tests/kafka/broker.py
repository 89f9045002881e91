"""A real one-node Apache Kafka broker (KRaft) for the integration tests.

The jars come from Maven Central through the pom beside this file and are resolved once per pom: later runs
start the broker in about three seconds. The process runs in its own process group, so that one signal ends
it with its children, and an `atexit` hook kills it when a test run is interrupted.
"""

import atexit
import contextlib
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

POM = Path(__file__).with_name("pom.xml")
RESOLVE_SECONDS = 300.0  # the first run downloads 80 MB of jars
START_SECONDS = 60.0  # three seconds alone on the machine; a loaded two-core runner needs more
STOP_SECONDS = 20.0

# The login of the SASL listener; a throw-away broker on the loopback interface.
USER, PASSWORD = "samewire", "not-a-secret"

# Log levels for the broker: WARN keeps the file small enough to print when a test fails.
LOG4J = """<Configuration status="ERROR">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %c{1} %m%n"/></Console></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="out"/></Root></Loggers>
</Configuration>
"""


class BrokerError(RuntimeError):
    """The broker could not be prepared or started; the message ends with its last log lines."""


def missing_tools() -> list[str]:
    """The programs that a broker needs and that are not on the path."""
    return [tool for tool in ("java", "mvn") if shutil.which(tool) is None]


def classpath() -> str:
    """The broker's class path, resolved by Maven once and cached under the user's cache folder."""
    digest = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    root = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    cached = root / "samewire" / f"kafka-{digest}" / "classpath.txt"
    if cached.exists():
        entries = cached.read_text().strip()
        # A cleaned local Maven repository leaves a class path that points at nothing.
        if all(Path(entry).exists() for entry in entries.split(os.pathsep)):
            return entries
    cached.parent.mkdir(parents=True, exist_ok=True)
    partial = cached.with_suffix(f".{os.getpid()}")
    command = [
        "mvn",
        "-B",
        "-q",
        "-f",
        str(POM),
        "dependency:build-classpath",
        f"-Dmdep.outputFile={partial}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RESOLVE_SECONDS, check=False)
    if done.returncode != 0:
        raise BrokerError(
            f"Maven could not resolve the broker's jars:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    partial.replace(cached)  # atomic: two test runs may resolve at once
    return cached.read_text().strip()


def free_ports(count: int) -> list[int]:
    """Loopback ports that were free a moment ago."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


class KafkaBroker:
    """One broker with its own folder; `restart` keeps ports and data, as a real restart does."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or Path(tempfile.mkdtemp(prefix="samewire-kafka-"))
        self._owns_folder = folder is None
        self.port, self._controller_port, self.sasl_port = free_ports(3)
        self.log_file = self.folder / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap(self) -> str:
        """The address that clients connect to."""
        return f"127.0.0.1:{self.port}"

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Format the log folder if it is new, start, and return when clients can connect.

        Raises:
            BrokerError: the process died or was not ready within `START_SECONDS`.
        """
        if self.running:
            return
        jars = classpath()
        config = self._write_config()
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(jars, config)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self._java(jars, "kafka.Kafka", str(config)),
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self.folder,
                start_new_session=True,  # its own process group, so that kill() reaches all of it
            )
        atexit.register(self.kill)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop as an operator does, with SIGTERM; a broker that does not obey is killed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End at once, as a power cut does."""
        self._end(signal.SIGKILL)

    def restart(self, *, kill: bool = False) -> None:
        """Stop (or kill) and start again on the same ports and log folder."""
        self.kill() if kill else self.stop()
        self.start()

    def close(self) -> None:
        """Kill and remove the folder; nothing of the broker remains."""
        self.kill()
        if self._owns_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def last_log_lines(self, count: int = 40) -> str:
        """The end of the broker's log, for the message of a failed test."""
        if not self.log_file.exists():
            return ""
        return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-count:])

    def _java(self, jars: str, main: str, *arguments: str) -> list[str]:
        # A small heap and the serial collector: the tests share two cores with the broker.
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
        logging = f"-Dlog4j2.configurationFile={self.folder / 'log4j2.xml'}"
        return ["java", *options, logging, "-cp", jars, main, *arguments]

    def _write_config(self) -> Path:
        (self.folder / "log4j2.xml").write_text(LOG4J)
        config = self.folder / "server.properties"
        clients = f"PLAINTEXT://127.0.0.1:{self.port},SASL://127.0.0.1:{self.sasl_port}"
        plain = "org.apache.kafka.common.security.plain.PlainLoginModule"
        scram = "org.apache.kafka.common.security.scram.ScramLoginModule"
        lines = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller_port}",
            "listeners": f"{clients},CONTROLLER://127.0.0.1:{self._controller_port}",
            "advertised.listeners": clients,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
            "listener.name.sasl.plain.sasl.jaas.config": f'{plain} required user_{USER}="{PASSWORD}";',
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{scram} required;",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{scram} required;",
            "log.dirs": str(self.folder / "data"),
            "auto.create.topics.enable": "false",
            "num.partitions": "1",
            "default.replication.factor": "1",
            # One node: every internal topic has one replica, and few partitions make start-up quick.
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            # Quick rebalances and quick expiry: the tests wait for both.
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
            # A broker that comes back is refused until its old session ends: 9 s by default.
            "broker.session.timeout.ms": "1500",
            "broker.heartbeat.interval.ms": "300",
            "controlled.shutdown.enable": "false",
        }
        config.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
        return config

    def _format(self, jars: str, config: Path) -> None:
        tool = "kafka.tools.StorageTool"
        identity = "c2FtZXdpcmUtdGVzdHMtMQ"  # any 16 bytes in base64: one cluster id for every test broker
        users = [f"SCRAM-SHA-{bits}=[name={USER},password={PASSWORD}]" for bits in (256, 512)]
        command = self._java(jars, tool, "format", "-t", identity, "-c", str(config))
        for user in users:
            command += ["--add-scram", user]
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
        if done.returncode != 0:
            raise BrokerError(f"the log folder could not be formatted:\n{done.stdout}{done.stderr}")

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.running:
                raise BrokerError(f"the broker ended while starting:\n{self.last_log_lines()}")
            if _answers(self.port):
                return
            time.sleep(0.05)
        self.kill()
        raise BrokerError(f"the broker was not ready within {START_SECONDS} s:\n{self.last_log_lines()}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        atexit.unregister(self.kill)
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(STOP_SECONDS)


def _answers(port: int) -> bool:
    """Whether the broker answers an ApiVersions request: an open port alone is not yet a broker."""
    # length, api key 18, version 0, correlation id 1, null client id
    request = bytes.fromhex("0000000a 0012 0000 00000001 ffff")
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(request)
            return len(connection.recv(8)) == 8
    except OSError:
        return False
