"""Ends the open transactions of dead workers, so that their successors need not wait for a time limit.

A worker that is killed between begin and commit leaves a transaction open. Until the broker aborts it
(`transactions.timeout_seconds`, plus up to ten seconds until its next sweep), the offsets of its partitions
cannot be read by the new owner, and readers of its output stand still. Whoever takes over partitions asks
instead: which transactions of this group are open, and which of their owners are no longer members? A new
producer under such a name fences the old one and aborts at once.

A slot that is starting just now may be fenced by mistake. It loses nothing: its batch is undone, and its
producer replaced.
"""

from typing import Any

import structlog
from kafka import errors as kafka_errors

from config.kafka import KafkaSettings
from workers.kafka.client import make_admin, make_producer
from workers.kafka.errors import WorkerError
from workers.kafka.producer_state import force_close

log = structlog.get_logger(__name__)


def fence_orphans(settings: KafkaSettings, group: str) -> list[str]:
    """Abort the open transactions of the group's dead slots; returns their names.

    Best effort: without the permission to list transactions (DESCRIBE on them), the broker's time limit does
    the same later.
    """
    try:
        admin = make_admin(settings)
        try:
            orphans = find_orphans(admin, group)
        finally:
            admin.close()
        for name in orphans:
            producer = make_producer(settings, name)
            producer.init_transactions()
            force_close(producer)
            producer.close(timeout=0)
            log.warning("orphan_fenced", transactional_id=name)
    except (kafka_errors.KafkaError, WorkerError) as error:
        log.warning("orphans_unknown", group=group, error=str(error))
        return []
    return orphans


def find_orphans(admin: Any, group: str) -> list[str]:
    """Names of the group's slots with an open transaction and no member."""
    listings = admin.list_transactions(state_filters=["Ongoing"])
    prefix = f"{group}."
    running = {
        each.transactional_id
        for listing in listings.values()
        for each in listing
        if each.transactional_id.startswith(prefix)
    }
    if not running:
        return []
    members = admin.describe_groups([group])[group]["members"]
    return sorted(running - {member["group_instance_id"] for member in members})
