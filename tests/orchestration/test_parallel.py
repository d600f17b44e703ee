import pytest

from orchestration.parallel import map_parallel
from orchestration.shard_engine import StageFailed

pytestmark = pytest.mark.ray


def make_square():
    return lambda number: number * number


def make_inverse():
    return lambda number: 1 / number


def test_results_come_in_the_order_of_the_items_whatever_the_batches(embedded_ray):
    items = list(range(37))
    assert list(map_parallel(make_square, items, embedded_ray, batch_size=5)) == [n * n for n in items]


def test_results_may_come_as_they_are_ready(embedded_ray):
    found = map_parallel(make_square, range(7), embedded_ray, batch_size=1, ordered=False)
    assert sorted(found) == [n * n for n in range(7)]


def test_no_item_is_no_result(embedded_ray):
    assert list(map_parallel(make_square, [], embedded_ray)) == []


def test_an_item_that_fails_names_its_batch(embedded_ray):
    with pytest.raises(StageFailed) as failed:
        list(map_parallel(make_inverse, [2, 1, 0], embedded_ray, name="inverse", batch_size=2))
    assert str(failed.value) == "stage inverse failed on shard inverse[2]: ZeroDivisionError: division by zero"
