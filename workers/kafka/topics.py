"""samewire's topics: what they should be, how to create them, and where a cluster differs."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from kafka import errors as kafka_errors
from kafka.admin import ConfigResource, ConfigResourceType

from config.kafka import KafkaSettings

log = structlog.get_logger(__name__)

# How long a change may take until the brokers show it.
SETTLE_SECONDS = 10.0
# Compaction keeps a merged cluster's redirect for readers that were away this long.
TOMBSTONE_RETENTION_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class TopicPlan:
    """What a topic should be."""

    role: str
    name: str
    partitions: int
    replication_factor: int
    config: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a topic is not as planned."""

    topic: str
    what: str
    wanted: str
    found: str
    repairable: bool
    """Whether `samewire topics --apply` can set it. Fewer partitions or other replicas need a human."""

    def __str__(self) -> str:
        hint = "" if self.repairable else "; not changed by samewire"
        return f"{self.topic}: {self.what} is {self.found}, should be {self.wanted}{hint}"


def topic_plans(settings: KafkaSettings, window_seconds: float) -> list[TopicPlan]:
    """The plan of every topic. `window_seconds` is how long the engine looks back for copies."""
    topics, desks = settings.topics, settings.desks.count
    # What is derived from an article carries it and more: sketch, signature and a few fields.
    derived_bytes = topics.max_dead_letter_bytes
    changelog_seconds = window_seconds + topics.changelog_slack_seconds
    table = [
        (
            "articles",
            topics.articles_partitions,
            _kept(topics.articles_retention_seconds),
            topics.max_record_bytes,
        ),
        # The matcher reads this within seconds; it is kept as long as the input, for a replay.
        ("signed", desks, _kept(topics.articles_retention_seconds), derived_bytes),
        ("dead", topics.dead_partitions, _kept(topics.dead_retention_seconds), derived_bytes),
        ("clustered", topics.clustered_partitions, _kept(topics.output_retention_seconds), derived_bytes),
        # The last event of every cluster is kept for ever, so an old id always resolves.
        (
            "clusters",
            topics.clusters_partitions,
            {"cleanup.policy": "compact", "delete.retention.ms": str(TOMBSTONE_RETENTION_SECONDS * 1000)},
            topics.max_record_bytes,
        ),
        # One partition a desk, as in `signed`: the owner of a desk restores exactly its own state. Packed
        # records keep to the common size limit, since the producer has one limit for all topics.
        ("changelog", desks, _kept(changelog_seconds), derived_bytes),
    ]
    return [
        TopicPlan(
            role=role,
            name=topics.names[role],
            partitions=partitions,
            replication_factor=topics.replication_factor,
            config=config
            | {
                "max.message.bytes": str(size_bytes),
                "min.insync.replicas": str(topics.insync_replicas),
                # Losing acknowledged records would break "exactly once" behind everybody's back.
                "unclean.leader.election.enable": "false",
            },
        )
        for role, partitions, config, size_bytes in table
    ]


def check_topics(admin: Any, plans: Sequence[TopicPlan]) -> list[Difference]:
    """Where the cluster differs from the plans; empty when all is well."""
    found = _describe(admin, plans)
    present = [plan for plan in plans if plan.name in found]
    differences = [
        Difference(plan.name, "topic", "present", "missing", repairable=True)
        for plan in plans
        if plan.name not in found
    ]
    configs = _configs(admin, [plan.name for plan in present])
    for plan in present:
        partitions = found[plan.name]["partitions"]
        if len(partitions) != plan.partitions:
            differences.append(
                Difference(
                    plan.name,
                    "partitions",
                    str(plan.partitions),
                    str(len(partitions)),
                    # Keys move between partitions when a topic grows: harmless in the input, but it would
                    # hand a desk's state to nobody.
                    repairable=plan.role == "articles" and len(partitions) < plan.partitions,
                )
            )
        replicas = min(len(partition["replica_nodes"]) for partition in partitions)
        if replicas != plan.replication_factor:
            differences.append(
                Difference(
                    plan.name, "replicas", str(plan.replication_factor), str(replicas), repairable=False
                )
            )
        for key, wanted in plan.config.items():
            is_now = configs[plan.name].get(key, "unset")
            if is_now != wanted:
                differences.append(Difference(plan.name, key, wanted, is_now, repairable=True))
    return differences


def apply_topics(admin: Any, plans: Sequence[TopicPlan]) -> list[Difference]:
    """Create what is missing and set what can be set; returns the differences that remain.

    Raises:
        kafka.errors.KafkaError: the broker refused, for instance for want of replicas.
    """
    differences = check_topics(admin, plans)
    missing = {each.topic for each in differences if each.what == "topic"}
    by_name = {plan.name: plan for plan in plans}
    if missing:
        request = {
            plan.name: {
                "num_partitions": plan.partitions,
                "replication_factor": plan.replication_factor,
                "configs": plan.config,
            }
            for plan in plans
            if plan.name in missing
        }
        try:
            admin.create_topics(request)
        except kafka_errors.TopicAlreadyExistsError:
            log.info("topics_created_by_another")
        admin.wait_for_topics(sorted(missing))
    growing = {
        each.topic: by_name[each.topic].partitions
        for each in differences
        if each.what == "partitions" and each.repairable
    }
    if growing:
        admin.create_partitions(growing)
    changed: dict[str, dict[str, str]] = {}
    for each in differences:
        if each.repairable and each.what not in ("topic", "partitions"):
            changed.setdefault(each.topic, {})[each.what] = each.wanted
    if changed:
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, name, configs=config)
                for name, config in changed.items()
            ]
        )
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        remaining = check_topics(admin, plans)
        # Every broker learns of a change by itself, a moment after the controller has accepted it.
        if time.monotonic() > deadline or not any(each.repairable for each in remaining):
            return remaining
        time.sleep(0.1)


def _kept(seconds: float) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(round(seconds * 1000))}


def _describe(admin: Any, plans: Sequence[TopicPlan]) -> dict[str, Any]:
    described = admin.describe_topics([plan.name for plan in plans])
    return {topic["name"]: topic for topic in described if topic["error_code"] == 0}


def _configs(admin: Any, names: Sequence[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    described = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        name: {
            key: str(value["value"] if isinstance(value, dict) else value) for key, value in config.items()
        }
        for name, config in described.items()
    }
