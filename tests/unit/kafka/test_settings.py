"""Settings are checked once, say what is wrong, and never show a secret."""

from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from pydantic import ValidationError

from config.kafka import KafkaSettings
from workers.kafka.client import common_config, consumer_config, producer_config

SECRET = "hunter2-secret"
SASL = {"security_protocol": "SASL_SSL", "sasl": {"username": "samewire", "password": SECRET}}
OAUTH = {
    "security_protocol": "SASL_SSL",
    "sasl": {
        "mechanism": "OAUTHBEARER",
        "oauth": {"token_url": "https://login.example/token", "client_id": "c", "client_secret": SECRET},
    },
}


@pytest.mark.parametrize("document", [SASL, OAUTH])
def test_secrets_show_nowhere(document: dict[str, Any]) -> None:
    settings = KafkaSettings.model_validate(document)
    shown = [repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump())]
    shown += [str(common_config(settings, "x")), repr(producer_config(settings, "x"))]
    assert not [text for text in shown if SECRET in text]


def test_the_client_gets_the_real_password() -> None:
    config = common_config(KafkaSettings.model_validate(SASL), "x")
    assert "".join(["", config["sasl_plain_password"]]) == SECRET
    assert config["sasl_plain_password"].encode() == SECRET.encode()


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"bootstrap_servers": ["localhost"]}, "is not host:port"),
        ({"bootstrap_servers": []}, "at least 1 item"),
        ({"bootstrap": ["x:1"]}, "Extra inputs are not permitted"),
        ({"security_protocol": "SASL_SSL"}, "needs the sasl section"),
        ({"sasl": {"username": "u", "password": "p"}}, "use SASL_SSL"),
        (
            {"security_protocol": "SASL_SSL", "sasl": {"username": "u"}},
            "needs sasl.username and sasl.password",
        ),
        ({"security_protocol": "SASL_SSL", "sasl": {"mechanism": "OAUTHBEARER"}}, "needs sasl.oauth"),
        ({"tls": {"ca_file": "ca.pem"}}, "use SSL or SASL_SSL"),
        ({"security_protocol": "SSL", "tls": {"key_file": "k.pem"}}, "belong together"),
        ({"topics": {"signed": "articles"}}, "named for two roles"),
        ({"topics": {"articles": "no spaces"}}, "String should match pattern"),
        ({"topics": {"replication_factor": 1, "min_insync_replicas": 2}}, "no write could succeed"),
        ({"desks": {"by_language": {"en": 1}}}, "there are 1 (from 0)"),
        ({"desks": {"by_language": {"English": 0}}}, "is not a language code"),
        ({"desks": {"count": 2, "default": 2}}, "there are 2 desks"),
        ({"groups": {"heartbeat_seconds": 5}}, "at most a third"),
        ({"groups": {"sign": "x", "match": "x"}}, "must differ"),
        ({"batches": {"records": 10_000}}, "at least one batch"),
        ({"dead_letters": {"min_records": 5000}}, "would never act"),
        ({"producer": {"delivery_timeout_seconds": 1}}, "request_timeout_seconds plus linger_seconds"),
        ({"watchdog": {"stall_seconds": 500}}, "below groups.max_poll_interval_seconds"),
        ({"transactions": {"deadline_seconds": 100}}, "below watchdog.stall_seconds"),
    ],
)
def test_mistakes_are_named(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KafkaSettings.model_validate(document)
    assert message in str(caught.value)


def test_a_desk_for_every_language() -> None:
    settings = KafkaSettings.model_validate({"desks": {"count": 3, "by_language": {"en": 2}, "default": 1}})
    assert [settings.desks.desk_of(code) for code in ("en", "is", None)] == [2, 1, 1]


@pytest.mark.parametrize("document", [{}, SASL, OAUTH])
def test_every_key_is_known_to_the_library(document: dict[str, Any]) -> None:
    settings = KafkaSettings.model_validate(document)
    assert set(consumer_config(settings, "g", "0")) <= set(KafkaConsumer.DEFAULT_CONFIG)
    assert set(producer_config(settings, "t")) <= set(KafkaProducer.DEFAULT_CONFIG)
    assert set(common_config(settings, "a")) <= set(KafkaAdminClient.DEFAULT_CONFIG)


def test_every_field_says_why() -> None:
    def undescribed(model: Any, path: str) -> list[str]:
        missing = []
        for name, field in model.model_fields.items():
            kind = field.annotation
            if hasattr(kind, "model_fields"):
                missing += undescribed(kind, f"{path}{name}.")
            elif not field.description:
                missing.append(path + name)
        return missing

    assert undescribed(KafkaSettings, "") == []
