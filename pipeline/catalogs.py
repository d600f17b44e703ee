"""Class catalogs: those that ship by bare name, a team's own by path or URL."""

from functools import lru_cache

from label_editing.catalog import Catalog
from pipeline.config_file import load_config, parse_config
from pipeline.configs import shipped
from pipeline.errors import InputError
from pipeline.storage import Store


def catalog_names() -> list[str]:
    """The catalogs that ship with synthgen."""
    return list(shipped("classes"))


@lru_cache(maxsize=32)
def load_catalog(name_or_path: str) -> Catalog:
    """The catalog of this bare name, or of the YAML file at this path or URL; every mistake at file:line:column."""
    if "://" not in name_or_path:
        return load_config(Catalog, name_or_path, "classes").value
    folder, _, name = name_or_path.rpartition("/")
    try:
        text = Store(folder).read(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name_or_path}: not UTF-8 text (byte 0x{error.object[error.start]:02x})") from error
    return parse_config(Catalog, text, name_or_path).value
