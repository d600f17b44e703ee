"""Pages in a real browser: images load, nothing is said on the console, and a study can be answered by keyboard."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.console import Console, ProgressMode
from pipeline.evaluation.model import Protocol, evaluate_model
from pipeline.evaluation.model_page import model_page
from pipeline.evaluation.preference import draw_trials, study_page
from pipeline.resolution import Resolution

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to open pages in")

LOOK = """<script>addEventListener("load", () => {
  const images = [...document.images];
  const broken = images.filter(image => !image.complete || !image.naturalWidth).length;
  const wide = document.documentElement.scrollWidth > innerWidth;
  document.body.dataset.seen = `${images.length} images, ${broken} broken, ${wide ? "too wide" : "fits"}`;
});</script>"""
ANSWER = """<script>addEventListener("load", () => {
  document.getElementById("begin").click();
  const press = key => document.dispatchEvent(new KeyboardEvent("keydown", { key }));
  ["ArrowLeft", "ArrowRight", "ArrowLeft"].forEach(press);
  document.body.dataset.seen = `${answers.length} answers, ${document.getElementById("tiles").children.length} tiles`;
});</script>"""


def opened(html: str, script: str, folder: Path, width: int = 1200) -> tuple[str, str]:
    """What the script saw, and what the console said."""
    page = folder / "page.html"
    page.write_text(html.replace("</body>", f"{script}</body>"), encoding="utf-8")
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
    done = subprocess.run(
        [
            CHROMIUM,
            *flags.split(),
            f"--window-size={width},900",
            f"--user-data-dir={folder / 'profile'}",
            f"file://{page}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = re.search(r'data-seen="([^"]*)"', done.stdout)
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return seen[1] if seen else "nothing", console


@pytest.mark.slow
@pytest.mark.parametrize("width", [500, 1200])
def test_the_page_of_a_model_loads_and_fits(flat_model, judge, make_world, tmp_path, width):
    quiet = Console(quiet=True, mode=ProgressMode.OFF)
    found = evaluate_model(flat_model, make_world(4), judge, Protocol(), quiet)
    html = model_page("toy", found, judge.catalog, {"command": "synthgen evaluate model toy"}).to_html()
    assert opened(html, LOOK, tmp_path, width) == ("1 images, 0 broken, fits", "")


@pytest.mark.slow
def test_a_study_is_answered_by_keyboard(make_world, tmp_path):
    trials = draw_trials(make_world(3), make_world(3), 3, Resolution(48, 32), 0, with_labels=True)
    html = study_page(("rendered", "real"), trials, 0, 1.0, "Which looks more real?")
    assert opened(html, ANSWER, tmp_path) == ("3 answers, 2 tiles", "")
