"""The manifests fit their kinds, and every image, command, path and option in them is one that exists."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import jsonschema
import pytest
import ray.autoscaler
import typer
import yaml
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from pipeline.cli import build_app
from pipeline.commands.submit import on_cluster

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
TEXTS = [path for path in sorted(INFRA.rglob("*")) if path.is_file()] + [ROOT / "docs" / "cluster.md"]


def load(name: str) -> Any:
    return yaml.safe_load((INFRA / name).read_text())


def ray_cluster(name: str) -> dict[str, Any]:
    spec = load(f"kuberay/{name}.yaml")["spec"]
    return spec.get("rayClusterSpec", spec)


def groups(name: str) -> list[dict[str, Any]]:
    spec = ray_cluster(name)
    return [spec["headGroupSpec"], *spec["workerGroupSpecs"]]


def synthgen_commands(text: str) -> list[list[str]]:
    plain = re.sub(r"\\\n\s*#?", " ", text)
    found = re.findall(r"(?:^[\s#]*|[\"`\s])synthgen ((?:augment|submit|status|verify|repair) [^\"`\n|]*)", plain, re.M)
    return [shlex.split(command, comments=True) for command in found]


def assert_parses(arguments: list[str]) -> None:
    root = typer.main.get_command(build_app())
    command = root.commands[arguments[0]]
    context = command.make_context(arguments[0], list(arguments[1:]), parent=click.Context(root))
    if arguments[0] == "submit":
        assert_parses(on_cluster(context.params["arguments"])[1:])


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_synthgen_command_is_one(path):
    for arguments in synthgen_commands(path.read_text()):
        assert_parses(arguments)


def test_the_commands_are_found_at_all():
    found = {path.name: len(synthgen_commands(path.read_text())) for path in TEXTS}
    assert found["cluster.md"] >= 6
    assert min(found[name] for name in ("cluster.yaml", "rayjob.yaml", "raycluster.yaml", "compose.yaml")) >= 1


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_path_of_the_repository_is_there(path):
    mentioned = re.findall(r"(?:infra|docs|configs)/[\w./-]*\w", path.read_text())
    assert [name for name in mentioned if not (ROOT / name).exists()] == []


def test_the_launcher_file_fits_rays_own_schema():
    schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
    jsonschema.validate(load("ray/cluster.yaml"), schema)
    assert load("ray/cluster.yaml")["head_node_type"] in load("ray/cluster.yaml")["available_node_types"]


@pytest.mark.parametrize(("name", "kind"), [("rayjob", "RayJob"), ("raycluster", "RayCluster")])
def test_kuberay_manifests_have_what_their_kind_needs(name, kind):
    manifest = load(f"kuberay/{name}.yaml")
    assert (manifest["apiVersion"], manifest["kind"]) == ("ray.io/v1", kind)
    assert set(manifest["metadata"]) & {"name", "generateName"}
    pinned = re.search(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert ray_cluster(name)["rayVersion"] == pinned.group(1)
    assert ray_cluster(name)["authOptions"] == {"mode": "token"}
    worker = ray_cluster(name)["workerGroupSpecs"][0]
    assert worker["minReplicas"] <= worker["replicas"] <= worker["maxReplicas"]


@pytest.mark.parametrize("name", ["rayjob", "raycluster"])
def test_pods_are_limited_unprivileged_and_hold_no_secret(name):
    for group in groups(name):
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        (container,) = pod["containers"]
        assert container["image"] in ("synthgen:cpu", "synthgen:cuda")
        assert {"cpu", "memory"} <= set(container["resources"]["limits"])
        assert container["envFrom"] == [{"secretRef": {"name": "synthgen-s3"}}]
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
        assert "env" not in container
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        assert mounted == {volume["name"] for volume in pod.get("volumes", [])}


@pytest.mark.parametrize("name", ["rayjob", "raycluster"])
def test_the_head_is_on_demand_without_work_and_workers_are_on_spot(name):
    head, worker = groups(name)
    assert head["rayStartParams"]["num-cpus"] == "0"
    assert head["template"]["spec"]["nodeSelector"] == {"synthgen/capacity": "on-demand"}
    assert worker["template"]["spec"]["nodeSelector"] == {"synthgen/capacity": "spot"}


@pytest.mark.parametrize("name", ["rayjob", "raycluster"])
def test_jobs_reach_the_head_from_its_service_and_only_with_the_token(name):
    # The submitter is another pod: a head that listens on its own loopback takes no job.
    assert ray_cluster(name)["headGroupSpec"]["rayStartParams"]["dashboard-host"] == "0.0.0.0"
    assert ray_cluster(name)["authOptions"] == {"mode": "token"}


def test_the_job_waits_for_a_gpu_where_its_cluster_begins_with_a_head_alone():
    assert "--gpus-per-actor 1" in load("kuberay/rayjob.yaml")["spec"]["entrypoint"]


SCHEMAS = Path(__file__).parent / "schemas"


def problems(manifest):
    """What the published schemas of its kind say against a manifest, each with where it is."""
    pod, kuberay = (json.loads((SCHEMAS / f"{name}.schema.json").read_text()) for name in ("pod_template", "kuberay"))
    registry = Registry().with_resource("pod_template.schema.json", Resource(pod, DRAFT202012))
    of_kind = kuberay | {"oneOf": [{"$ref": f"#/$defs/{manifest['kind']}"}]}
    validator = jsonschema.Draft202012Validator(of_kind, registry=registry)
    return [
        f"{part.json_path}: {part.message}"
        for error in validator.iter_errors(manifest)
        for part in (error.context or [error])
    ]


@pytest.mark.parametrize("name", ["rayjob", "raycluster"])
def test_manifests_fit_the_published_schemas_of_their_kinds(name):
    assert problems(load(f"kuberay/{name}.yaml")) == []


@pytest.mark.parametrize(
    ("path", "key", "value", "said"),
    [
        ((), "backofLimit", 3, "('backofLimit' was unexpected)"),
        ((), "submissionMode", "K8sjobMode", "'K8sjobMode' is not one of"),
        (("rayClusterSpec", "authOptions"), "mode", "tokens", "'tokens' is not one of"),
        (("rayClusterSpec", "headGroupSpec", "rayStartParams"), "num-cpus", 0, "0 is not of type 'string'"),
        (("rayClusterSpec", "workerGroupSpecs", 0), "maxReplica", 4, "('maxReplica' was unexpected)"),
        (("rayClusterSpec", "workerGroupSpecs", 0), "maxReplicas", "16", "'16' is not of type 'integer'"),
        (("rayClusterSpec", "workerGroupSpecs", 0, "template", "spec"), "tolerate", [], "('tolerate' was unexpected)"),
        (
            ("rayClusterSpec", "headGroupSpec", "template", "spec", "containers", 0),
            "imagePull",
            "Always",
            "('imagePull' was unexpected)",
        ),
    ],
)
def test_what_the_schemas_refuse_is_found(path, key, value, said):
    manifest = load("kuberay/rayjob.yaml")
    part = manifest["spec"]
    for step in path:
        part = part[step]
    part[key] = value
    (problem,) = problems(manifest)
    assert said in problem
    assert all(str(step) in problem for step in path)


def test_every_service_of_the_compose_file_has_a_limit_of_memory():
    assert all("mem_limit" in service for service in load("compose/compose.yaml")["services"].values())


def test_the_launcher_starts_every_node_with_the_token():
    launcher = load("ray/cluster.yaml")
    starts = [*launcher["head_start_ray_commands"], *launcher["worker_start_ray_commands"]]
    assert all("RAY_AUTH_MODE=token" in command for command in starts if "ray start" in command)
    assert "~/.ray/auth_token" in launcher["file_mounts"]


def test_the_job_is_tried_again_and_takes_its_cluster_down():
    spec = load("kuberay/rayjob.yaml")["spec"]
    assert (spec["backoffLimit"], spec["shutdownAfterJobFinishes"]) == (3, True)
    assert_parses(shlex.split(spec["entrypoint"])[1:])


def test_compose_publishes_to_this_machine_only_and_waits_for_what_it_needs():
    services = load("compose/compose.yaml")["services"]
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
        for needed, condition in service.get("depends_on", {}).items():
            assert "healthcheck" in services[needed] or condition == {"condition": "service_completed_successfully"}
    assert {s["image"] for n, s in services.items() if n != "store"} == {"synthgen:cpu"}


def test_no_manifest_holds_a_value_of_a_secret():
    for path in TEXTS:
        for value in re.findall(r"(?:SECRET\w*|PASSWORD|TOKEN)[=:] *(\S+)", path.read_text()):
            assert value.startswith(("$", "...")), f"{path}: {value}"


def test_what_the_image_copies_is_there():
    lines = (INFRA / "Dockerfile").read_text().splitlines()
    for line in (line for line in lines if line.startswith("COPY")):
        sources = [word for word in line.split()[1:-1] if not word.startswith("--")]
        assert [name for name in sources if not (ROOT / name).exists()] == []
    assert any(line.startswith("USER ") for line in lines)
    assert any(line.startswith("HEALTHCHECK ") for line in lines)


def test_the_image_brings_the_job_server():
    assert '"ray[default]"' in (INFRA / "Dockerfile").read_text()


def test_the_cuda_image_can_build_what_launches_kernels():
    stage = (INFRA / "Dockerfile").read_text().partition("FROM base AS torch-cuda\n")[2].partition("\nFROM ")[0]
    assert "install -y --no-install-recommends gcc libc6-dev" in stage
    (cache,) = re.findall(r"^ENV TRITON_CACHE_DIR=(\S+)$", stage, re.MULTILINE)
    assert f"--owner=synthgen --group=synthgen {cache}\n" in stage


def test_unfinished_uploads_are_dropped_and_objects_never_expire():
    (rule,) = json.loads((INFRA / "object_store" / "lifecycle.json").read_text())["Rules"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Expiration" not in rule
