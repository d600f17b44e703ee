import pytest


@pytest.fixture(scope="session")
def embedded_ray():
    """One embedded Ray for all tests of this folder."""
    from orchestration.cluster import connect, shutdown

    yield connect("local", num_cpus=2)
    shutdown()
