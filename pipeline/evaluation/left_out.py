"""What of a source is no pair of an image and a label map, said before anything is measured without it."""

from pipeline.sources.base import Source

_NAMED = 3


def note_of_left_out(source: Source, what: str) -> str:
    """A word on what is not measured, or not learned from; empty where everything is."""
    found = [f"{file.path} ({file.lacks})" for file in source.unpaired()]
    keys = source.keys()
    without = [key for key in keys if not source.has_image(key)]
    found += [f"{key} (no image)" for key in without] if len(without) < len(keys) else []
    if not found:
        return ""
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"left out of {what}, for want of its other half: {', '.join(found[:_NAMED])}{more}"
