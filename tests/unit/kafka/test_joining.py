"""A half-joined member is nudged, a waiting one is left alone for a while."""

from types import SimpleNamespace

from kafka.structs import MemberState

from workers.kafka.joining import JoinNudge


def test_asks_for_the_rejoin_after_some_patience_and_not_when_stable() -> None:
    now, asked = [0.0], []
    state = [MemberState.REBALANCING]
    consumer = SimpleNamespace(
        group_metadata=lambda: SimpleNamespace(state=state[0]),
        _coordinator=SimpleNamespace(request_rejoin=lambda: asked.append(now[0])),
    )
    nudge = JoinNudge(lambda: now[0])
    for now[0] in (0.0, 1.0, 2.1, 3.0, 4.2):
        assert not nudge.stable(consumer)
    assert asked == [2.1, 4.2]
    state[0] = MemberState.STABLE
    now[0] = 100.0
    assert nudge.stable(consumer)
    assert asked == [2.1, 4.2]
