"""A Ceph RADOS Gateway of one's own on loopback: one monitor, one OSD, one gateway, gone with its parent."""

import contextlib
import ctypes
import shutil
import signal
import socket
import subprocess
import time
import uuid
from pathlib import Path

import botocore.client
import botocore.config
import botocore.exceptions
import botocore.session

PROGRAMS = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")
REGION = "us-east-1"
_START_WITHIN_S = 90

_SETTINGS = """\
[global]
fsid = {fsid}
mon_host = [v2:127.0.0.1:{monitor}]
mon_initial_members = a
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
ms_bind_msgr1 = false
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
# without keys the default mode, which encrypts, cannot connect
ms_mon_client_mode = crc
ms_mon_cluster_mode = crc
ms_mon_service_mode = crc
run_dir = {root}/run
admin_socket = {root}/run/$name.asok
pid_file = {root}/run/$name.pid
log_file = {root}/$name.log
crash_dir = {root}/run
keyring = {root}/keyring
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 1
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
[mon]
mon_data = {root}/mon
mon_cluster_log_file = {root}/cluster.log
[osd]
osd_data = {root}/osd
osd_objectstore = {kind}
memstore_device_bytes = 1073741824
bluestore_block_create = true
bluestore_block_size = 2147483648
osd_memory_target = 939524096
osd_class_update_on_start = false
[client]
rgw_frontends = beast endpoint=127.0.0.1:{gateway} tcp_nodelay=1
rgw_enable_apis = s3, admin
rgw_dynamic_resharding = false
rgw_cache_enabled = false
"""


def missing_programs() -> list[str]:
    """What has to be installed first."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


class Gateway:
    """The server, and users of it by name."""

    def __init__(self, root: Path, durable: bool = False) -> None:
        """`durable` keeps its data over a kill; memory is quicker."""
        self._root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        for folder in ("mon", "osd", "run"):
            (root / folder).mkdir(parents=True)
        monitor, gateway = _free_port(), _free_port()
        self.endpoint = f"http://127.0.0.1:{gateway}"
        self._fsid = str(uuid.uuid4())
        kind = "bluestore" if durable else "memstore"
        settings = _SETTINGS.format(fsid=self._fsid, monitor=monitor, gateway=gateway, root=root, kind=kind)
        (root / "ceph.conf").write_text(settings)
        self._monitor_address = f"[v2:127.0.0.1:{monitor}]"

    def start(self) -> None:
        """All three, answering."""
        keyring, monmap = str(self._root / "keyring"), str(self._root / "monmap")
        _run("ceph-authtool", keyring, "--create-keyring", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        _run("monmaptool", "--create", "--fsid", self._fsid, "--addv", "a", self._monitor_address, monmap)
        self._admin("ceph-mon", "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
        self._spawn("ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        self._admin("ceph", "osd", "new", osd, "0")
        self._admin("ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", osd)
        self._spawn("ceph-osd", "-i", "0")
        self.add_user("owner")
        self._admin("radosgw-admin", "zonegroup", "modify", "--rgw-zonegroup=default", f"--api-name={REGION}")
        self._spawn("radosgw", "-n", "client.admin")
        self._wait()

    def kill(self) -> None:
        """SIGKILL to all three, as a machine that loses power to its processes."""
        for process in self._processes:
            process.kill()
        for process in self._processes:
            process.wait()
        self._processes.clear()

    def start_again(self) -> None:
        """After a kill, with the data that was kept."""
        self._spawn("ceph-mon", "-i", "a")
        # Else the gateway waits for the address of the OSD that died.
        self._admin("ceph", "osd", "down", "0")
        self._spawn("ceph-osd", "-i", "0")
        self._spawn("radosgw", "-n", "client.admin")
        self._wait()

    def limit_bucket(self, name: str, num_bytes: int) -> None:
        """A quota: what does not fit any more is refused."""
        self._admin(
            "radosgw-admin", "quota", "set", "--quota-scope=bucket", f"--bucket={name}", f"--max-size={num_bytes}"
        )
        self._admin("radosgw-admin", "quota", "enable", "--quota-scope=bucket", f"--bucket={name}")

    def add_user(self, name: str) -> None:
        """A user whose keys are made of the name."""
        key, secret = keys_of(name)
        command = ["user", "create", f"--uid={name}", f"--display-name={name}"]
        self._admin("radosgw-admin", *command, f"--access-key={key}", f"--secret-key={secret}")

    def client(self, name: str = "owner") -> botocore.client.BaseClient:
        """A plain client, for setting up and for looking from outside."""
        key, secret = keys_of(name)
        settings = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
        return botocore.session.get_session().create_client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=settings,
        )

    def stop(self) -> None:
        """Gateway, OSD, monitor: in another order the OSD waits for what is gone."""
        for process in reversed(self._processes):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline and all(process.poll() is None for process in self._processes):
            with contextlib.suppress(botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                self.client().list_buckets()
                return
            time.sleep(0.1)
        raise RuntimeError(f"the gateway did not start; see the logs in {self._root}")

    def _admin(self, program: str, *arguments: str) -> None:
        _run(program, "-c", str(self._root / "ceph.conf"), *arguments)

    def _spawn(self, program: str, *arguments: str) -> None:
        with open(self._root / f"{program}.out", "ab") as log:
            command = [program, "-c", str(self._root / "ceph.conf"), *arguments, "-f"]
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self._root, preexec_fn=_end_with_parent
            )
        self._processes.append(process)


def keys_of(name: str) -> tuple[str, str]:
    """Access key and secret key of a user."""
    return f"key-of-{name}", f"secret-of-{name}-that-nobody-may-print"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed test run leaves no daemons


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
