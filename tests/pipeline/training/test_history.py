import json

import pytest

from pipeline.training.history import History


def test_short_trainings_keep_every_step() -> None:
    history = History()
    for step in range(1, 4):
        history.add(step, {"generator/adversarial": step / 2})
    assert history.rows == [{"step": s, "generator/adversarial": s / 2} for s in (1, 2, 3)]


def test_long_trainings_keep_means_over_equal_numbers_of_steps() -> None:
    history = History()
    for step in range(1, 10_001):
        history.add(step, {"loss": float(step)})
    assert 200 <= len(history.rows) <= 400
    apart = {round(b["step"] - a["step"]) for a, b in zip(history.rows, history.rows[1:], strict=False)}
    assert len(apart) == 1
    every = apart.pop()
    for row in history.rows:
        assert row["loss"] == pytest.approx(row["step"] - (every - 1) / 2)


@pytest.mark.parametrize("cut", [1, 399, 400, 401, 1333])
def test_a_history_that_was_saved_goes_on_as_if_it_never_was(cut: int) -> None:
    whole, first = History(), History()
    for step in range(1, 2001):
        whole.add(step, {"loss": step % 7})
        if step <= cut:
            first.add(step, {"loss": step % 7})
    second = History()
    second.load_state_dict(json.loads(json.dumps(first.state_dict())))
    for step in range(cut + 1, 2001):
        second.add(step, {"loss": step % 7})
    assert second.state_dict() == whole.state_dict()
