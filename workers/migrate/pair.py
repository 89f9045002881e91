"""Whether two deployments can run side by side on one stream."""

from __future__ import annotations

from itertools import permutations

from config.kafka import KafkaSettings
from pipeline.errors import SettingsError


def check_pair(old: KafkaSettings, new: KafkaSettings) -> None:
    """Raise :class:`SettingsError` where the two would read different streams, or write over each other."""
    if old.topics.articles != new.topics.articles:
        raise SettingsError(
            f"the new settings read {new.topics.articles}, the old ones {old.topics.articles}: a migration needs the "
            "same kafka.topics.articles in both"
        )
    taken = {name: role for role, name in old.topics.names.items() if role != "articles"}
    for role, name in new.topics.names.items():
        if name in taken:
            raise SettingsError(
                f"kafka.topics.{role} of the new settings is {name}, which the old ones use as {taken[name]}; give "
                "every topic but articles a name of its own, for example by adding .v2"
            )
    old_groups, new_groups = ((each.groups.sign, each.groups.match) for each in (old, new))
    for group in new_groups:
        if group in old_groups:
            raise SettingsError(
                f"group {group} is in both settings, and would share the input between two engines; give the new "
                "settings kafka.groups.sign and kafka.groups.match of their own"
            )
    for left, right in permutations((*old_groups, *new_groups), 2):
        # A worker's transactions are named GROUP.SLOT, and those of a group's dead workers are found by that.
        if right.startswith(f"{left}."):
            raise SettingsError(
                f"group {right} begins with the name of group {left} and a dot: workers of the one would take those "
                f"of the other for dead slots of theirs; name it for example {right.replace('.', '-')}"
            )
