"""The dataset card: the README.md of a data set, with the header that Hugging Face `datasets` reads."""

from typing import Any

import yaml

from pipeline.report.html import byte_size
from pipeline.report.summary import RunSummary

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))

_READ = """\
```python
import glob, cv2, numpy as np, webdataset as wds

def png(data):  # 8-bit class ids and 16-bit instance ids, as stored
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)

shards = sorted(glob.glob("shards/*.tar"))
pairs = wds.WebDataset(shards, shardshuffle=100, seed=0).shuffle(1000)
pairs = pairs.decode(wds.handle_extension("seg.png inst.png", png), "rgb8").to_tuple("{image}", "seg.png", "json")
```
"""


_SEEN = "| `<key>.seen.png` | class ids, void where the image does not show the label: rather train on these |\n"


def dataset_card(summary: RunSummary, image_format: str = "jpg") -> str:
    """Header, what it is, how to read it, what it came from."""
    header = yaml.safe_dump(_header(summary), sort_keys=False, allow_unicode=True)
    return f"---\n{header}---\n\n{_body(summary, image_format)}"


def _header(summary: RunSummary) -> dict[str, Any]:
    return {
        "pretty_name": summary.name,
        "license": "other",
        "task_categories": ["image-segmentation"],
        "annotations_creators": ["machine-generated"],
        "tags": ["synthetic", "label-to-image", "webdataset", "synthgen"],
        "size_categories": [next((name for bound, name in _SIZES if summary.samples < bound), "n>1M")],
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": path} for split, path in summary.splits.items()],
            }
        ],
    }


def _body(summary: RunSummary, image_format: str) -> str:
    source, model = summary.source, summary.model
    licence = source.get("licence") or "the source names none; ask its owner before sharing this data"
    classes = "\n".join(f"| {c.id} | {c.name} | {'thing' if c.thing else 'stuff'} |" for c in _present(summary))
    return f"""\
# {summary.name}

{summary.samples:,} synthetic image/label pairs of {summary.width}x{summary.height} in {summary.shards:,} WebDataset
shards ({byte_size(summary.num_bytes)}). Label maps of a real or procedural source were edited, then rendered into
images by a network trained on that source. Images are synthetic; each was rendered from its label map, and shows it as
well as the network can: report.html says how well, where that was measured.

![Source map, edited map, image](preview.jpg)

More in [report.html](report.html); a row a sample in `manifest.parquet`; the recipe as run in `dataset.json`.

## A sample

| member | what |
|---|---|
| `<key>.{image_format}` | the image, 8-bit RGB |
| `<key>.seg.png` | class ids of catalog `{summary.catalog.name}` |
| `<key>.inst.png` | instance ids: class*1000+k on things, the class id elsewhere |
{_SEEN if summary.seen_pixels else ""}\
| `<key>.json` | where it came from: source key, seed, edits, styles, instances, pixels per class |

## Reading it

{_READ.replace("{image}", image_format)}
## Where it comes from

- Source: {source.get("format")}{f" at {source['root']}" if source.get("root") else ""}, split `{source.get("split")}`
- Licence of the source: {licence}. Images made from a source inherit its conditions.
- Model: {model.get("family")} `{model.get("fingerprint")}`

## Classes that occur

| id | class | kind |
|---|---|---|
{classes}
"""


def _present(summary: RunSummary) -> list[Any]:
    return [c for c in summary.catalog.classes if summary.after.pixels.get(c.name, 0)]
