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


def test_families_stand_beside_what_their_authors_publish(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    result = {
        "study": "bake_off_small",
        "kind": "compare",
        "provenance": {"command": "python b", "commit": "abc", "device": "CPU", "date": "2026-01-01"},
        "settings": {
            "device_seconds": 60,
            "resolution": "256x128",
            "scenes": 40,
            "sheet": "bake_off_small.jpg",
            "trained": {"spade": {"steps": 100}, "crn": {"steps": 50}},
        },
        "compared": {
            "spade": {"mean IoU": 0.2, "FID (segmenter)": 3.0, "parameters": 1234567},
            "crn": {"mean IoU": 0.3, "FID (segmenter)": None, "parameters": 5000},
        },
    }
    page = write_results.document([result])
    assert "| spade | 100 | 0.2 | 3 | 1,234,567 |" in page
    assert "| crn | 50 | 0.3 | - | 5,000 |" in page
    assert "| spade | 62.3 | 81.9 | 71.8 | - |" in page  # SPADE's own table
    assert "By mean IoU, ours: crn, spade; published: spade, crn." in page
    assert "| pix2pix | 39.48 | 78.34 |" in page  # pix2pixHD's


def test_a_longer_training_stands_beside_real_pairs_of_the_shorter_one_too(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    def downstream(name, steps, **arms):
        runs = {arm: {"runs": [{"all": {"mean_iou": v / 100}} for v in values]} for arm, values in arms.items()}
        return {
            "study": name,
            "kind": "downstream",
            "provenance": {"command": "python a", "commit": "abc", "device": "CPU", "date": "2026-01-01"},
            "settings": {"segmenter_steps": steps},
            "seeds": 2,
            "scenes": {"all": 9},
            "mean_iou": {},
            "verdicts": {"all": {}},
            "notes": [],
            "arms": runs,
        }

    short = downstream("s_small_downstream", 100, real=[40, 42, 44])
    longer = downstream("s_small_longer_downstream", 200, real=[39, 40], mixed=[44, 46])
    gaining = downstream("s_small_gaining_downstream", 200, real=[41, 43], mixed=[44, 46])
    elsewhere = downstream("t_small_longer_downstream", 200, real=[39, 40])
    page = write_results.document([short, longer, gaining, elsewhere])
    assert page.count("Against real alone after 100 steps, as in s small downstream:") == 1
    assert "- all, real after 200: -1.5 ± 6.4 points: within the noise\n" in page
    assert "- all, mixed after 200: +4.0 ± 0.0 points: better\n" in page


def test_classes_of_a_downstream_result_have_their_own_verdicts(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    verdict = {"points": 4.0, "half_width": 1.5, "word": "better"}
    result = {
        "study": "a_study",
        "kind": "downstream",
        "provenance": {"command": "python a", "commit": "abc", "device": "CPU", "date": "2026-01-01"},
        "seeds": 3,
        "scenes": {"dusk": 9},
        "mean_iou": {arm: {"dusk": {"mean": 0.5, "spread": 0.01}} for arm in ("real", "real + synthetic")},
        "verdicts": {"dusk": {"real + synthetic": verdict}},
        "class_iou": {"dusk": {"car": {"real": 0.61, "real + synthetic": 0.65}}},
        "class_verdicts": {"dusk": {"car": verdict}},
        "absent": {"dusk": ["fence"]},
        "notes": [],
    }
    page = write_results.document([result])
    assert "| car | 61.0 | 65.0 | +4.0 ± 1.5, better |" in page
    assert "Never occur, left out of the mean: fence." in page


def test_the_goal_is_asked_of_every_arm_that_has_synthetic_pairs_beside_real_ones(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    def arm(*cars):
        return {"runs": [{"dusk": {"class_iou": {"car": car}}} for car in cars]}

    def verdict(points, word):
        return {"points": points, "half_width": 1.0, "word": word}

    both = "real + synthetic + copy-paste"
    result = {
        "settings": {"goal": {"group": "dusk", "points": 3, "class": "car", "kept": "day", "lost": 0.5}},
        "arms": {
            "real": arm(0.5, 0.5),
            "real + synthetic": arm(0.4, 0.61),
            both: arm(0.61, 0.6),
            "real + copy-paste": arm(1, 1),
        },
        "verdicts": {
            "dusk": {
                "real + synthetic": verdict(2.9, "better"),
                both: verdict(3.0, "better"),
                "real + copy-paste": verdict(9, "better"),
            },
            "day": {
                "real + synthetic": verdict(-0.6, "within the noise"),
                both: verdict(-0.5, "worse"),
                "real + copy-paste": verdict(0, ""),
            },
        },
    }
    assert write_results._goal(result) == [
        "- goal of real + synthetic: better on dusk: reached beyond the noise; +3 points there: not reached; car IoU "
        "up there (+0.5 ± 133.4 points: within the noise): reached in the mean alone; day not down by more than 0.5: "
        "not reached",
        f"- goal of {both}: better on dusk: reached beyond the noise; +3 points there: reached in the mean alone; car "
        "IoU up there (+10.5 ± 6.4 points: better): reached beyond the noise; day not down by more than 0.5: reached "
        "in the mean alone",
    ]


def test_synthetic_pairs_are_held_against_pasting_too(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    import write_results

    values = {"real": (0.5, 0.5), "real + copy-paste": (0.5, 0.6), "real + synthetic": (0.53, 0.64)}
    arms = {arm: {"runs": [{"all": {"mean_iou": value}} for value in of_arm]} for arm, of_arm in values.items()}
    result = {"scenes": {"all": 9}, "arms": arms}
    *_, said = write_results._against_copy_paste(result)
    assert said == "- all, real + synthetic: +3.5 ± 6.4 points: within the noise"
    del arms["real + synthetic"]
    assert write_results._against_copy_paste(result) == []
