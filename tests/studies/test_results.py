"""docs/results.md says what the result files say."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_made_from_the_result_files(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    made = write_results.document(write_results.read(write_results.RESULTS))
    assert write_results.PAGE.read_text(encoding="utf-8") == made, "run: python studies/write_results.py"


def test_a_downstream_result_becomes_a_table(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    result = {
        "study": "a_study",
        "kind": "downstream",
        "provenance": {"command": "python a", "commit": "abc", "device": "CPU", "date": "2026-01-01"},
        "seeds": 3,
        "scenes": {"all": 9},
        "mean_iou": {"real": {"all": {"mean": 0.5, "spread": 0.01}}},
        "verdicts": {"all": {"real + synthetic": {"points": 3.25, "half_width": 1.0, "word": "better"}}},
        "notes": [],
    }
    page = write_results.document([result])
    assert "| trained on | all (9) |\n| --- | --- |\n| real | 50.0 ± 1.0 |" in page
    assert "- all, real + synthetic: +3.2 ± 1.0, better" in page
    assert "`python a`, commit abc, CPU, 2026-01-01." in page


def test_families_become_a_table(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    result = {
        "study": "families",
        "kind": "families",
        "provenance": {"command": "python f", "commit": "abc", "device": "CPU", "date": "2026-01-01"},
        "cpu_seconds_a_family": 60.0,
        "scenes": 400,
        "size": "128x64",
        "measured": 40,
        "real": {"mean_iou": 0.5},
        "families": [
            {
                "family": "crn",
                "parameters": 1234,
                "steps": 9,
                "mean_iou_before": 0.01,
                "mean_iou": 0.2,
                "pixel_accuracy": 0.6,
            }
        ],
    }
    page = write_results.document([result])
    assert "60 s of CPU time a family on 400 scenes at 128x64" in page
    assert "| crn | 1,234 | 9 | 0.010 | 0.200 | 0.600 |" in page
