"""Label map in, image out, and how each family is trained. torch only.

The table of families is looked up on first use, so that `generators.style` can be had without torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generators.families import FAMILIES, family_named

__all__ = ["FAMILIES", "family_named"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'generators' has no attribute {name!r}")
    from generators import families

    return getattr(families, name)
