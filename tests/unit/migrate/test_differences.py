"""What differs between two partitions, and where a reader finds an article."""

from pipeline.answers import cluster_id
from workers.migrate.differences import Moved, Renamed, Standing, compare_standing


def state(**clusters: tuple[int, list[str]]) -> dict[str, Standing]:
    """Articles with their clusters; the time is the place in the alphabet."""
    return {i: Standing(name, ord(i)) for name, ids in clusters.values() for i in ids}


def test_joined_split_moved_and_renamed() -> None:
    old = state(x=(1, ["a", "b", "c"]), y=(2, ["d", "e"]), z=(3, ["f"]), w=(4, ["g", "h"]), gone=(9, ["q"]))
    new = state(x=(1, ["a", "b"]), y=(2, ["c", "d", "e"]), z=(3, ["f"]), w=(5, ["g", "h"]), more=(8, ["r"]))
    found = compare_standing(old, new, "before")
    d = found.differences
    assert (d.compared, d.only_old, d.only_new, d.same_clusters) == (8, 1, 1, 2)
    assert [(j.id, j.of) for j in d.joined] == [(cluster_id(2), [cluster_id(2), cluster_id(1)])]
    assert [(s.id, s.into) for s in d.split] == [(cluster_id(1), [cluster_id(1), cluster_id(2)])]
    assert found.moved == [Moved("c", cluster_id(1), cluster_id(2))]
    assert found.renamed == [Renamed(cluster_id(5), cluster_id(4), 2)]
    assert found.regrouped == 5
    assert found.share_regrouped == 5 / 8
    assert found.split_pairs == {cluster_id(1): ("a", "c")}
    assert found.joined_pairs == {cluster_id(2): ("d", "c")}
    assert found.record()["moved"] == [{"id": "c", "of": cluster_id(1), "to": cluster_id(2)}]


def test_nothing_in_common() -> None:
    found = compare_standing(state(x=(1, ["a"])), state(y=(1, ["b"])), "before")
    assert (found.differences.compared, found.regrouped, found.share_regrouped) == (0, 0, 0)
