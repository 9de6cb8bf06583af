"""The software bill of materials: what .venv holds, as CycloneDX 1.6, and a table of licences.

From the metadata that each package has installed, nothing asked of anybody. `make sbom`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PROJECT = "operabot-lm"
# What a licence's name in old metadata is in SPDX's words.
SPDX = {
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# Metadata that leave the exact licence to a file in the package, which was read.
READ = {
    "colorama": "BSD-3-Clause",
    "isodate": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "jinja2-simple-tags": "BSD-3-Clause",
    "mysql-connector-python": "GPL-2.0-only WITH Universal-FOSS-exception-1.0",
    "patsy": "BSD-2-Clause",
    "protobuf": "BSD-3-Clause",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "scipy": "BSD-3-Clause",
    "sqlparse": "BSD-3-Clause",
    "text-unidecode": "Artistic-1.0-Perl OR GPL-2.0-or-later",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(package: Distribution) -> str:
    """As an SPDX expression where it can be told, else in the package's own words."""
    metadata = package.metadata
    name = normal(metadata["Name"])
    if name in READ:
        return READ[name]
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classes = [line.rpartition("::")[2].strip() for line in metadata.get_all("Classifier") or []
               if line.startswith("License ::")]  # fmt: skip
    known = {SPDX[name] for name in classes if name in SPDX}
    if len(known) == 1:
        return known.pop()
    return (metadata.get("License") or "").strip().partition("\n")[0] or " / ".join(classes)


def needs(package: Distribution, extra: str = "") -> Iterator[str]:
    """Names of the packages that it asks for on this machine."""
    for line in package.requires or []:
        wanted = Requirement(line)
        if wanted.marker is None or wanted.marker.evaluate({"extra": extra}):
            yield normal(wanted.name)


def reached(start: str, installed: dict[str, Distribution]) -> set[str]:
    """What it takes to run: the package, and all that follows from it."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in installed and name not in found:
            found.add(name)
            waiting.extend(needs(installed[name]))
    return found


def reference(package: Distribution) -> str:
    return f"pkg:pypi/{normal(package.metadata['Name'])}@{package.version}"


def component(package: Distribution, is_run: bool) -> dict[str, Any]:
    words = licence(package)
    is_spdx = re.fullmatch(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*", words)
    return {
        "type": "library",
        "bom-ref": reference(package),
        "name": normal(package.metadata["Name"]),
        "version": package.version,
        "purl": reference(package),
        # Needed by `lm` and dbt, or by tests and checks alone.
        "scope": "required" if is_run else "optional",
        "licenses": [{"expression": words} if is_spdx else {"license": {"name": words}}],
    }


def document(installed: dict[str, Distribution]) -> dict[str, Any]:
    """The bill of materials; the same packages give the same document."""
    ours = installed[PROJECT]
    run = reached(PROJECT, installed)
    others = {name: one for name, one in sorted(installed.items()) if name not in (PROJECT, "pip")}
    components = [component(one, name in run) for name, one in others.items()]
    listed = "".join(one["purl"] for one in components)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, reference(ours) + listed)}",
        "version": 1,
        "metadata": {
            "component": {**component(ours, True), "type": "application"},
            "lifecycles": [{"phase": "build"}],
        },
        "components": components,
        "dependencies": [
            {
                "ref": reference(one),
                "dependsOn": sorted(
                    {reference(installed[n]) for n in needs(one) if n in installed}
                    - {reference(one)}
                ),
            }
            for one in (ours, *others.values())
        ],
    }


def table(bill: dict[str, Any]) -> str:
    """Each licence with its packages, those that `lm` runs with before those of the tests."""
    by_licence: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in bill["components"]:
        words = one["licenses"][0]
        words = words.get("expression") or words["license"]["name"]
        by_licence[words][one["scope"]].append(one["name"])
    lines = []
    for words, scopes in sorted(by_licence.items()):
        lines.append(words)
        lines += [f"  {scope}: {', '.join(names)}" for scope, names in sorted(scopes.items())][::-1]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, help="file to write")
    args = parser.parse_args(argv)
    installed = {normal(one.metadata["Name"]): one for one in distributions()}
    bill = document(installed)
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(json.dumps(bill, indent=2) + "\n", encoding="utf-8")
    print(table(bill))
    print(f"\n{len(bill['components'])} packages: {args.output}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
