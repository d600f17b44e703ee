"""Headless Chromium for tests of pages: what a browser makes of a page at any width, by day and by night."""

import html as markup
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine to open pages in")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]
DARK = "--blink-settings=preferredColorScheme=0"

LOOK = """<script>addEventListener("load", () => {
  const images = [...document.images];
  const tables = [...document.querySelectorAll("table")];
  const boxes = [...document.querySelectorAll(".scroll")];
  const cells = row => row.querySelectorAll("th, td").length;
  const uneven = tables.filter(table => new Set([...table.rows].map(cells)).size !== 1 || table.rows.length < 2);
  const odd = document.body.innerText.match(/\\b(NaN|nan|None|undefined|Infinity)\\b/g) || [];
  const plots = [...document.querySelectorAll("svg.plot")];
  const inside = svg => [...svg.querySelectorAll("text")].every(text => {
    const box = text.getBBox();
    return box.x >= -1 && box.x + box.width <= svg.viewBox.baseVal.width + 1;
  });
  const letters = plots.map(svg => 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width);
  const rgb = getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number);
  parent.postMessage({
    images: images.length,
    broken: images.filter(image => !image.complete || !image.naturalWidth).length,
    tables: tables.length,
    uneven: uneven.length,
    odd: odd.length,
    plots: plots.length,
    cut: plots.filter(svg => !inside(svg)).length,
    small: letters.filter(size => size < 9).length,
    scrolled: innerWidth < 1000 ? 0 : boxes.filter(box => box.scrollWidth > box.clientWidth + 1).length,
    width: innerWidth,
    fits: document.documentElement.scrollWidth <= innerWidth,
    dark: rgb[0] < 128,
  }, "*");
});</script>"""
# A window is never narrower than 500 pixels: a phone is a frame in one.
FRAME = """<!doctype html><body><script>
addEventListener("message", event => { document.body.dataset.seen = JSON.stringify(event.data); });
</script><iframe src="page.html" style="border:0;width:{width}px;height:1200px"></iframe></body>"""


def opened(html: str, script: str, folder: Path, width: int = 1200, *flags: str) -> tuple[dict, str]:
    """What the script saw, and what the console said."""
    (folder / "page.html").write_text(html.replace("</body>", f"{script}</body>"), encoding="utf-8")
    (folder / "frame.html").write_text(FRAME.replace("{width}", str(width)), encoding="utf-8")
    done = chromium(folder, f"file://{folder / 'frame.html'}", *flags, "--dump-dom", f"--window-size={width + 40},1300")
    seen = re.search(r'data-seen="([^"]*)"', done.stdout)
    console = "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)
    return json.loads(markup.unescape(seen[1])) if seen else {}, console


def chromium(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder / 'profile'}", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
