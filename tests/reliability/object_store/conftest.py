"""A real S3 server for these tests; they are skipped where its programs are not installed."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import fsspec.config
import pytest


def load_gateway() -> ModuleType:
    name = "object_store_gateway"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("gateway.py"))
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator:
    gateway = load_gateway()
    missing = gateway.missing_programs()
    if missing:
        pytest.skip(f"no S3 server: {', '.join(missing)} not installed (Debian: ceph-mon ceph-osd radosgw)")
    server = gateway.Gateway(tmp_path_factory.mktemp("ceph"))
    try:
        server.start()
        yield server
    finally:
        server.stop()


@pytest.fixture
def sign_in(server, monkeypatch):
    """Give the environment the keys of a user, as a person would have them."""

    def sign_in(key: str, secret: str) -> None:
        for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
        own = {"endpoint_url": server.endpoint, "skip_instance_cache": True}
        monkeypatch.setitem(fsspec.config.conf, "s3", {**own, "config_kwargs": {"s3": {"addressing_style": "path"}}})

    sign_in(*load_gateway().keys_of("owner"))
    return sign_in


@pytest.fixture
def bucket(server, sign_in) -> str:
    name = f"test-{uuid4().hex}"
    server.client().create_bucket(Bucket=name)
    return name
