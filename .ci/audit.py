"""Which packages have known advisories: python audit.py PIP-AUDIT REQUIREMENTS.

The exit status is 0 only if all were looked up and none has one.
"""

import json
import subprocess
import sys


def main(program: str, requirements: str) -> int:
    options = ["--disable-pip", "--require-hashes", "--progress-spinner", "off", "--format", "json"]
    done = subprocess.run([program, *options, "--requirement", requirements], capture_output=True, text=True)
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except ValueError:
        reason = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        print(f"NOT AUDITED: no source of advisories could be reached ({reason[0]})", file=sys.stderr)
        return 2
    found = [(package, flaw) for package in packages for flaw in package.get("vulns", ())]
    for package, flaw in found:
        fixed = " or ".join(flaw.get("fix_versions", ())) or "no version yet"
        print(f"{package['name']} {package['version']}: {flaw['id']}, mended in {fixed}")
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if unknown:
        told = f"{len(unknown)} of {len(packages)} packages are unknown to the source of advisories here"
        print(f"NOT AUDITED: {told}: run it where one can be reached", file=sys.stderr)
    else:
        print(f"{len(packages)} packages, {len(found)} advisories")
    return 1 if found else 2 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
