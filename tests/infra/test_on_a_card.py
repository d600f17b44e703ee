"""What needs a card goes part by part, within its time, and on from where it stopped."""

import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_parts_that_are_done_are_not_run_again_and_slow_ones_are_stopped(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import on_a_card

    (tmp_path / "count.py").write_text("open('count', 'a').write('x')")
    (tmp_path / "slow.py").write_text("import time; print('begun', flush=True); time.sleep(60)")
    parts = {
        "good": on_a_card.Part(60, "count.py", ""),
        "bad": on_a_card.Part(60, "missing.py", ""),
        "slow": on_a_card.Part(2, "slow.py", ""),
    }
    monkeypatch.setattr(on_a_card, "PARTS", parts)
    monkeypatch.setattr(on_a_card, "ROOT", tmp_path)
    out = tmp_path / "out"
    monkeypatch.setattr(sys, "argv", ["on_a_card", "--out", str(out)])
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            on_a_card.main()
        assert ended.value.code == 1
    said = json.loads((out / "done.json").read_text())
    assert (said["good"], said["bad"][:13], said["slow"]) == ("done", "failed with 2", "stopped after 2 s")
    assert (tmp_path / "count").read_text() == "x"
    assert (out / "logs" / "slow.log").read_text().count("begun\n") == 2
    assert capsys.readouterr().out.endswith(f"not done: bad, slow; see {out / 'logs'}\n")


def test_a_look_at_whether_parts_run_is_no_run_of_them_and_data_is_found_from_here(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import on_a_card

    root, here = tmp_path / "root", tmp_path / "here"
    (here / "data").mkdir(parents=True)
    root.mkdir()
    (root / "look.py").write_text("import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n')")
    part = on_a_card.Part(60, "look.py card {data}", "look.py smoke {data}", needs_data=True)
    monkeypatch.setattr(on_a_card, "PARTS", {"part": part})
    monkeypatch.setattr(on_a_card, "ROOT", root)
    monkeypatch.chdir(here)
    for more in (["--smoke"], []):
        monkeypatch.setattr(sys, "argv", ["on_a_card", "--out", "out", "--data", "data", *more])
        with pytest.raises(SystemExit) as ended:
            on_a_card.main()
        assert ended.value.code == 0
    assert [(root / name).read_text() for name in ("smoke", "card")] == [f"{here}/data\n"] * 2


def test_what_needs_data_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import on_a_card

    monkeypatch.setattr(sys, "argv", ["on_a_card", "--out", str(tmp_path), "--only", "dusk"])
    with pytest.raises(SystemExit):
        on_a_card.main()
    assert "error: dusk needs --data, the folder that holds train, trainannot" in capsys.readouterr().err


def test_every_part_names_a_program_that_is_there(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import on_a_card

    for part in on_a_card.PARTS.values():
        for command in (part.card, part.smoke):
            program = command.split(" ")[0]
            assert program == "-m" or (ROOT / program).is_file()
            assert ("{data}" in command) == part.needs_data
