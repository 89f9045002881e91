"""Answers and events: what is written directly is what the record says."""

import orjson
from hypothesis import given
from hypothesis import strategies as st

from pipeline.answers import Answer, ClusterEvent, cluster_id, cluster_name
from pipeline.article import MAX_VERSION
from pipeline.verify import RELATIONS

NAMES = st.integers(0, 2**64 - 1)
MOMENTS = st.integers(-62_135_596_800_000, 253_402_300_799_999)
IDS = st.text(min_size=1)


@given(
    st.builds(
        Answer,
        IDS.filter(lambda text: text.isprintable()),
        NAMES,
        st.sampled_from(RELATIONS),
        st.integers(0, 10_000),
        st.none() | IDS,
        MOMENTS,
        st.booleans(),
        st.booleans(),
        st.integers(0, MAX_VERSION),
        st.none() | st.tuples(NAMES, st.sampled_from(RELATIONS)),
        st.booleans(),
        st.booleans(),
        st.sampled_from(["", '{"reason":"\\"wrong\\""}', '{"advisory":"kill","embargo_until":"x"}']),
    )
)
def test_an_answers_line_is_its_record(answer: Answer) -> None:
    assert answer.line("sw1-abc") == orjson.dumps(answer.record("sw1-abc"))


@given(
    st.builds(
        ClusterEvent,
        st.sampled_from(["merged", "split"]),
        NAMES,
        st.integers(0, 1 << 40),
        MOMENTS,
        MOMENTS,
        NAMES,
        st.none() | IDS,
        st.none(),
        st.just(0),
    )
    | st.builds(
        ClusterEvent,
        st.sampled_from(["created", "grown", "closed", "shrunk", "killed"]),
        NAMES,
        st.integers(0, 1 << 40),
        MOMENTS,
        MOMENTS,
        st.none(),
        st.none() | IDS,
        st.none() | st.lists(IDS).map(tuple),
        st.integers(0, 1 << 20),
    )
)
def test_an_events_line_is_its_record(event: ClusterEvent) -> None:
    assert event.line("sw1-abc") == orjson.dumps(event.record("sw1-abc"))


@given(NAMES)
def test_a_cluster_id_can_be_read_back(name: int) -> None:
    assert cluster_name(cluster_id(name)) == name
