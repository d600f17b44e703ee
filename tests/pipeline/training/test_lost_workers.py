"""Workers that vanish again and again are told as what happened, not as a bug."""

import pytest

from orchestration.cluster import ClusterInfo
from orchestration.failures import EngineFailed
from pipeline.errors import RunError
from pipeline.train_config import load_train_config
from pipeline.training import run


def test_workers_that_were_lost_too_often_are_told_with_what_to_do(tmp_path, monkeypatch):
    def loses_them(*_, **__):
        raise EngineFailed("training workers were lost 4 times: the machine is too busy")

    monkeypatch.setattr(run, "run_training", loses_them)
    plan = run.make_plan(load_train_config("streetscapes", []).value, str(tmp_path / "model"))
    with pytest.raises(RunError) as told:
        run.run_plan(plan, ClusterInfo("", embedded=True, nodes=1, cpus=2, gpus=0), lambda report: None)
    assert str(told.value) == (
        "training workers were lost 4 times: the machine is too busy; the same command goes on from the last "
        "checkpoint; is there processor and memory enough for the workers?"
    )
