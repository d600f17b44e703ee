"""Writes pod_template.schema.json from the models of Kubernetes' own Python client, descriptions left out.

pip install --target /tmp/client kubernetes==37.0.2
PYTHONPATH=/tmp/client python tests/infra/schemas/make_pod_template.py
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

_UNSAID = ("description", "title", "default")


def main() -> None:
    from kubernetes.client.models.v1_pod_template_spec import V1PodTemplateSpec

    schema = bare(V1PodTemplateSpec.model_json_schema(by_alias=True))
    about = {"$comment": f"Of the package kubernetes {version('kubernetes')}, by {Path(__file__).name}"}
    text = json.dumps(about | schema, separators=(",", ":"), sort_keys=True)
    Path(__file__).with_name("pod_template.schema.json").write_text(text + "\n", encoding="utf-8")


def bare(schema: Any) -> Any:
    """The schema without prose and without nulls, which no manifest needs; names stay, whatever they are."""
    if isinstance(schema, list):
        return [bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return bare(choices[0])
    named = {name: _each(schema[name]) for name in ("properties", "$defs") if name in schema}
    return {key: bare(part) for key, part in schema.items() if key not in (*_UNSAID, *named)} | named


def _each(named: dict[str, Any]) -> dict[str, Any]:
    return {name: bare(part) for name, part in named.items()}


if __name__ == "__main__":
    main()
