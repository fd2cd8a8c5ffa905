"""What the container installs is what the tests ran with, file by file, and it may do nothing else."""

import re
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
CONTAINER = "requirements-container.txt"
BUILD = "requirements-build.txt"
# The Python and the system of the image, whatever the tests run on.
IMAGE = {
    "python_version": "3.12",
    "python_full_version": "3.12.0",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "platform_machine": "x86_64",
}


def pinned(file: str) -> dict[str, str]:
    """The packages of a file with their versions."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / file).read_text(), re.MULTILINE)
    return {canonicalize_name(name): version for name, version in found}


def needed(package: str, extras: frozenset[str] = frozenset()) -> Iterator[str]:
    """What a package needs on the container's Python, directly and indirectly, as its metadata says."""
    for line in requires(package) or ():
        requirement = Requirement(line)
        wanted = [{**IMAGE, "extra": extra} for extra in (extras or {""})]
        if requirement.marker and not any(map(requirement.marker.evaluate, wanted)):
            continue
        yield canonicalize_name(requirement.name)
        yield from needed(requirement.name, frozenset(requirement.extras))


@pytest.mark.parametrize("file", [CONTAINER, BUILD])
def test_each_version_is_that_of_the_constraints_and_has_hashes(file: str) -> None:
    constraints, here = pinned("constraints.txt"), pinned(file)
    assert here and here == {name: constraints[name] for name in here}
    entries = re.split(r"\n(?=\w)", re.sub(r"^#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE))
    assert len(entries) == len(here)
    for entry in entries:
        assert re.fullmatch(r"[\w.-]+==\S+ \\(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?)+\n?", entry), entry[
            :60
        ]


def test_nothing_is_missing_and_nothing_is_left_over() -> None:
    """Red after a change of dependencies until `make hashes` was run."""
    assert set(pinned(CONTAINER)) == set(needed("skywave"))
    assert "hatchling" in pinned(BUILD)


def test_the_image_installs_only_what_has_a_hash() -> None:
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    installs = re.findall(r"pip (?:install|wheel) [^&\n]*", text)
    assert len(installs) == 4
    assert all("--require-hashes" in one or "--no-index" in one for one in installs)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["${BASE}", "${BASE}"]


def test_the_service_has_no_rights_that_it_does_not_need() -> None:
    service: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["skywave"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"] and service["pids_limit"]
    assert [volume.partition(":")[2] for volume in service["volumes"]] == ["/data"]
    assert all("noexec" in mount for mount in service["tmpfs"])
