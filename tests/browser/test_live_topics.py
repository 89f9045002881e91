"""The served page in a browser, over the topics of a deployment that goes on matching."""

from collections.abc import Iterator

import orjson
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.conftest import SAMPLE
from tests.kafka.deployment import Deployment
from tests.served import Served

pytestmark = pytest.mark.kafka

ARRIVES_MS = 20_000  # through two workers, two transactions and a page


@pytest.fixture
def served(deployed: Deployment) -> Iterator[Served]:
    with Served("--kafka", "--config", deployed.config) as found:
        yield found


# The browser is asked for last, so that its pages close before the server stops.


def test_updates_while_the_deployment_matches(deployed: Deployment, served: Served, open_page: Open) -> None:
    page = open_page(served.url)
    expect(page.locator("#count")).to_contain_text("106 articles")
    expect(page.locator("#live-text")).to_have_text("live")
    page.fill("#search", "n-0002")
    expect(page.locator("#count")).to_contain_text("1 cluster,")  # the search waits for a pause in typing
    page.locator(".row").first.click()
    page.wait_for_selector(".columns")
    members = page.locator(".lane-row").count()
    original = next(orjson.loads(line) for line in SAMPLE.open() if '"n-0002"' in line)
    deployed.produce([orjson.dumps(original | {"id": "browser-1", "source": "Late Paper"})])
    expect(page.locator(".lane-row")).to_have_count(members + 1, timeout=ARRIVES_MS)
    expect(page.locator("#announce")).to_have_text("1 new article")
    assert page.title() == f"{deployed.kafka.topics.changelog} – samewire"
