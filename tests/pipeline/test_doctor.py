from pathlib import Path

from pipeline.doctor import Health, examine


def test_every_part_is_looked_at_and_what_is_not_well_says_what_to_do(tmp_path: Path) -> None:
    findings = list(examine([str(tmp_path)]))
    assert [f.what for f in findings] == [
        "Python",
        "torch",
        "devices",
        "Ray",
        "memory",
        "disk",
        f"storage {tmp_path}",
    ]
    assert all(f.todo for f in findings if f.health is not Health.OK)
    assert findings[-1].health is Health.OK


def test_storage_that_cannot_be_written_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    finding = list(examine([str(tmp_path / "file" / "below")]))[-1]
    assert finding.health is Health.FAIL
    assert str(tmp_path / "file") in finding.found
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
