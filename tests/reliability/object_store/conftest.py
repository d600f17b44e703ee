"""A real S3 server for these tests; they are skipped where its programs are not installed."""

from collections.abc import Iterator
from uuid import uuid4

import fsspec.config
import pytest

from tests.reliability.object_store.fault_proxy import FaultProxy
from tests.reliability.object_store.gateway import Gateway, keys_of, missing_programs


def started(folder, durable: bool) -> Iterator[Gateway]:
    if missing := missing_programs():
        pytest.skip(f"no S3 server: {', '.join(missing)} not installed (Debian: ceph-mon ceph-osd radosgw)")
    server = Gateway(folder, durable)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Gateway]:
    yield from started(tmp_path_factory.mktemp("ceph"), durable=False)


@pytest.fixture
def proxy(server) -> Iterator[FaultProxy]:
    """In front of the server; harmless until it is given faults."""
    proxy = FaultProxy(server.endpoint)
    yield proxy
    proxy.close()


@pytest.fixture
def sign_in(server, monkeypatch):
    """Give the environment the keys of a user, as a person would have them."""

    def sign_in(key: str, secret: str, endpoint: str = server.endpoint, **config: object) -> None:
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
        own = {"endpoint_url": endpoint, "skip_instance_cache": True}
        monkeypatch.setitem(
            fsspec.config.conf, "s3", {**own, "config_kwargs": {"s3": {"addressing_style": "path"}, **config}}
        )

    sign_in(*keys_of("owner"))
    return sign_in


@pytest.fixture
def bucket(server, sign_in) -> str:
    return new_bucket(server)


def new_bucket(server: Gateway) -> str:
    name = f"test-{uuid4().hex}"
    server.client().create_bucket(Bucket=name)
    return name
