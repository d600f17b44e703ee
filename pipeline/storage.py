"""Files under one root, local or on any fsspec URL: the only place that writes them."""

import contextlib
import errno
import os
import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import PurePosixPath
from typing import IO, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import fsspec
import fsspec.config
from fsspec.implementations.local import LocalFileSystem

from pipeline.errors import MissingFileError, StorageError
from pipeline.storage_faults import is_missing_bucket, reason, retried

T = TypeVar("T")

_PROBE = ".synthgen-write-probe"
_TEMPORARY = ".synthgen-tmp"
_SWEPT_TRIES = 5
# A call that gets no answer must end: a stalled read would hold its shard for good.
_S3_LIMITS = {"connect_timeout": 10, "read_timeout": 60, "retries": {"total_max_attempts": 2, "mode": "standard"}}


class StoredFile(NamedTuple):
    """A file by its path under the root, and its size in bytes."""

    path: str
    size: int


class Store:
    """A folder on local disk or behind an fsspec URL. Paths are relative to it, with forward slashes.

    Options of a remote file system come from fsspec's and the provider's own environment variables and files alone, so
    that no recipe ever holds a secret. On remote storage operations are done again, whole, while their failures are of
    the kind that passes. A store pickles, and a relative root stays where it was when the store was made.
    """

    def __init__(self, url: str) -> None:
        self.url: str = str(url).rstrip("/") or "/"
        _refuse_secrets(self.url)
        try:
            # Other processes write here too: a cached listing would be a wrong one.
            self._fs, self._root = fsspec.core.url_to_fs(self.url, use_listings_cache=False, **_limits(self.url))
        except (ValueError, ImportError) as error:
            raise StorageError(f"{self.url}: {error}") from None
        self._local = isinstance(self._fs, LocalFileSystem)

    def place(self, path: str) -> str:
        """The path as a user would write it, for messages."""
        return f"{self.url.rstrip('/')}/{path}" if path else self.url

    def read(self, path: str) -> bytes:
        """The whole file; MissingFileError when it is not there."""
        with self._translated("read", path):
            return bytes(self._again(lambda: self._fs.cat_file(self._full(path))))

    def read_range(self, path: str, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`."""
        with self._translated("read", path):
            return bytes(self._again(lambda: self._fs.cat_file(self._full(path), start=start, end=end)))

    def open_read(self, path: str) -> IO[bytes]:
        """The file as a seekable stream."""
        with self._translated("read", path):
            return self._again(lambda: self._fs.open(self._full(path), "rb"))

    def root_exists(self) -> bool:
        """Whether there is anything under the root's name."""
        with self._translated("look up", ""):
            return bool(self._again(lambda: self._fs.exists(self._root)))

    def exists(self, path: str) -> bool:
        """Whether there is a file (not a folder) of this name."""
        with self._translated("look up", path):
            return self._again(lambda: self._is_file(self._full(path)))

    def size(self, path: str) -> int:
        """Size of the file in bytes; MissingFileError when it is not there."""
        with self._translated("look up", path):
            return int(self._again(lambda: self._fs.info(self._full(path)))["size"])

    def leftovers(self) -> list[StoredFile]:
        """What writers that were killed left behind: files that no other method shows."""
        return sorted(
            StoredFile(path, int(info["size"])) for path, info in self._find("").items() if _is_leftover(path)
        )

    def list(self, prefix: str = "") -> list[StoredFile]:
        """Every file below the folder `prefix`, sorted by path; nothing when the folder is not there."""
        found = self._find(prefix)
        return sorted(StoredFile(path, int(info["size"])) for path, info in found.items() if not _is_leftover(path))

    def times(self, prefix: str) -> dict[str, float]:
        """When each file below the folder `prefix` was last written, as seconds since 1970."""
        return {path: _written_at(info) for path, info in self._find(prefix).items() if not _is_leftover(path)}

    def write_atomic(self, path: str, data: bytes) -> None:
        """Put the file under its name as a whole or not at all, over what was there before."""
        with self._translated("write", path):
            if self._local:
                with _temporary(self._full(path), data) as temporary:
                    os.replace(temporary, self._full(path))
            else:
                self._again(lambda: self._fs.pipe_file(self._full(path), data))

    def create_exclusive(self, path: str, data: bytes) -> bool:
        """Put the file under its name unless there is one already; False when somebody was first.

        Atomic on local disks and on S3; elsewhere as exclusive as the backend's own `create`.
        """
        try:
            with self._translated("create", path):
                return self._again(lambda: self._create(self._full(path), data))
        except FileExistsError:
            # An answer that got lost and was asked for again looks like a lost race: our bytes say that it is none.
            return not self._local and self.read(path) == data

    def delete(self, path: str) -> None:
        """Remove the file; nothing happens when it is not there."""
        with contextlib.suppress(MissingFileError), self._translated("delete", path):
            self._again(lambda: self._fs.rm_file(self._full(path)))

    def check_writable(self) -> None:
        """Raise StorageError unless files can be written, created exclusively, read back and deleted here."""
        probe = f"{_PROBE}-{secrets.token_hex(8)}"
        try:
            self.write_atomic(probe, b"1")
            if self.create_exclusive(probe, b"2") or self.read(probe) != b"1":
                raise StorageError(f"{self.url}: exclusive creation overwrites here; use other storage")
        except StorageError as error:
            raise StorageError(str(error).replace(f"/{probe}", "")) from error
        finally:
            with contextlib.suppress(StorageError):
                self.delete(probe)

    def _find(self, prefix: str) -> dict[str, dict[str, Any]]:
        top = self._full(prefix) if prefix else self._root
        with self._translated("list", prefix):
            found = self._again(lambda: self._fs.find(top, detail=True))
        skip = len(self._root.rstrip("/")) + 1
        # On object storage `find` on the name of a single object returns that object.
        return {path[skip:]: info for path, info in found.items() if path != top}

    def _create(self, full: str, data: bytes) -> bool:
        if self._local:
            _create_local(full, data)
            return True
        try:
            self._fs.pipe_file(full, data, mode="create")
        except OSError as error:
            # Several S3 servers answer a refused exclusive put in a way s3fs only knows as "invalid argument".
            if error.errno == errno.EINVAL and self._fs.exists(full):
                raise FileExistsError(full) from error
            raise
        return True

    def _is_file(self, full: str) -> bool:
        # `isfile` of fsspec takes every failure for "no": then a run without rights would look like a new one.
        try:
            return bool(self._fs.info(full)["type"] == "file")
        except (FileNotFoundError, NotADirectoryError):
            return False

    def _again(self, operation: Callable[[], T]) -> T:
        return operation() if self._local else retried(operation)

    def _full(self, path: str) -> str:
        parts = PurePosixPath(path).parts
        if not parts or path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
            raise ValueError(f"{path!r} is not a path inside {self.url}")
        return "/".join((self._root.rstrip("/"), *parts))

    @contextlib.contextmanager
    def _translated(self, action: str, path: str) -> Iterator[None]:
        """Failures of any backend become one StorageError with the place; each backend brings its own exceptions."""
        try:
            yield
        except (ValueError, FileExistsError, StorageError):
            raise
        except FileNotFoundError as error:
            if is_missing_bucket(error):
                raise StorageError(f"{self.place(path)}: cannot {action}: {reason(error)}") from error
            raise MissingFileError(f"{self.place(path)}: cannot {action}: no such file, folder or bucket") from error
        except Exception as error:
            raise StorageError(f"{self.place(path)}: cannot {action}: {reason(error)}") from error


def _refuse_secrets(url: str) -> None:
    """A URL is printed, logged and kept in plans; what is secret has no place in it."""
    if urlsplit(url).password:
        raise StorageError(
            f"{url.partition('://')[0]}://...: a URL must not hold a password; give it by the environment or by "
            "the configuration of fsspec"
        )


def _limits(url: str) -> dict[str, Any]:
    """Timeouts of S3, under what the user's own configuration of fsspec says."""
    protocol = url.partition("://")[0]
    if protocol not in ("s3", "s3a"):
        return {}
    own: dict[str, Any] = fsspec.config.conf.get(protocol, {}).get("config_kwargs", {})
    return {"config_kwargs": {**_S3_LIMITS, **own}}


def _is_leftover(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(_TEMPORARY) or name.startswith(_PROBE)


def _written_at(info: dict[str, Any]) -> float:
    """Each file system has its own name for it, and its own type."""
    said = next((info[name] for name in ("mtime", "LastModified", "created", "updated") if name in info), 0.0)
    return float(said.timestamp() if isinstance(said, datetime) else said)


@contextlib.contextmanager
def _temporary(full: str, data: bytes) -> Iterator[str]:
    """A complete, durable copy beside `full`, for the body to put in place."""
    folder = os.path.dirname(full)
    try:
        os.makedirs(folder, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(errno.ENOTDIR, f"{folder} is a file, not a folder") from None
    temporary = os.path.join(folder, f".{os.path.basename(full)}.{secrets.token_hex(8)}{_TEMPORARY}")
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    _sync_folder(folder)


def _create_local(full: str, data: bytes) -> None:
    """Anew when somebody swept the temporary file away: a lease is asked for while its owner clears leftovers."""
    for attempt in range(_SWEPT_TRIES):
        try:
            with _temporary(full, data) as temporary:
                _link(temporary, full)
            return
        except FileNotFoundError:
            if attempt == _SWEPT_TRIES - 1:
                raise


def _link(temporary: str, full: str) -> None:
    """A link appears complete or not at all and never replaces: what O_EXCL and then writing could not promise."""
    try:
        os.link(temporary, full)
    except OSError as error:
        if error.errno in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
            raise StorageError(f"{full}: this file system has no hard links; choose another folder") from error
        raise


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
