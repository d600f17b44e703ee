"""How an unknown name is reported: with the nearest one that exists."""

from collections.abc import Iterable
from difflib import get_close_matches

_MOST_LISTED = 40  # enough to see what such names look like


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most like `name`, or None when nothing is close."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return close[0] if close else None


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that does not exist: `unknown class 'cra'; did you mean 'car'?`"""
    known = list(known)
    guess = nearest(name, known)
    if guess is not None:
        return f"unknown {kind} {name!r}; did you mean {guess!r}?"
    if not known:
        return f"unknown {kind} {name!r}; none is known"
    rest = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"unknown {kind} {name!r}; known: {', '.join(known[:_MOST_LISTED])}{rest}"
