"""Values are counted by the first bound that they do not exceed."""

from ordertrail.kit.histogram import Histogram


def test_a_bound_belongs_to_what_is_below_it() -> None:
    found = Histogram((1, 2.5))
    for value in (0, 1, 1.5, 2.5, 2.6, 100):
        found.add(value)
    assert found.counts == [2, 2, 2]
    assert found.total == 107.6
