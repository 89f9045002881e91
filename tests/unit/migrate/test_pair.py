"""Which two settings can run side by side."""

from typing import Any

import pytest

from config.kafka import KafkaSettings
from pipeline.errors import SettingsError
from workers.migrate.pair import check_pair

OWN = {role: f"{role}.v2" for role in ("signed", "dead", "clustered", "clusters", "changelog")}
GROUPS = {"sign": "samewire-v2.sign", "match": "samewire-v2.match"}


def settings(topics: dict[str, str] | None = None, groups: dict[str, str] | None = None) -> KafkaSettings:
    fields: dict[str, Any] = {"topics": {**OWN, **(topics or {})}, "groups": {**GROUPS, **(groups or {})}}
    return KafkaSettings.model_validate(fields)


def test_topics_and_groups_of_its_own_will_do() -> None:
    check_pair(KafkaSettings(), settings())
    check_pair(settings(), KafkaSettings())


@pytest.mark.parametrize("role", sorted(OWN))
def test_a_shared_topic_is_refused(role: str) -> None:
    shared = getattr(KafkaSettings().topics, role)
    with pytest.raises(SettingsError, match=rf"kafka\.topics\.{role} .* is {shared}, .* as {role}"):
        check_pair(KafkaSettings(), settings({role: shared}))


def test_one_topic_in_two_roles_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"kafka\.topics\.clustered .* as clusters"):
        check_pair(KafkaSettings(), settings({"clustered": "clusters"}))


def test_another_input_is_refused() -> None:
    with pytest.raises(SettingsError, match="the same"):
        check_pair(KafkaSettings(), settings({"articles": "articles.v2"}))


@pytest.mark.parametrize(
    "groups", [{"sign": "samewire.sign"}, {"match": "samewire.match"}, {"match": "samewire.sign"}]
)
def test_a_shared_group_is_refused(groups: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="is in both settings"):
        check_pair(KafkaSettings(), settings(groups=groups))


def test_a_group_whose_workers_would_fence_those_of_the_other_is_refused() -> None:
    """Orphaned transactions are looked for under `GROUP.`, so `GROUP.v2` must not be another group."""
    with pytest.raises(SettingsError, match="for example samewire-match-v2"):
        check_pair(KafkaSettings(), settings(groups={"match": "samewire.match.v2"}))
    with pytest.raises(SettingsError, match="begins with the name"):
        check_pair(settings(groups={"sign": "samewire.match.v2"}), KafkaSettings())
