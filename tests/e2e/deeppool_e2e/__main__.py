"""python -m deeppool_e2e --build build/dev [--direct] -- COMMAND ...

Runs COMMAND with a mock upstream and a filled platform behind these variables:
  DEEPPOOL_E2E_BASE_URL  where SDKs point        DEEPPOOL_E2E_KEY        a key without limits
  DEEPPOOL_E2E_ROOT      the platform, no /v1    DEEPPOOL_E2E_RPM_KEY    one request a minute
                                                 DEEPPOOL_E2E_QUOTA_KEY  its quota is spent
With DEEPPOOL_E2E_BASE_URL set already COMMAND runs against that. --direct leaves the platform out: SDKs
then meet the mock's faults unfiltered and many tests must fail, which shows that they can.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from .platform import Platform
from .processes import base_url, public, start_mock

VARIANTS = Path(__file__).resolve().parent.parent / "variants.json"
# What upstreams of each dialect are asked for, before the mock's own script: adapters look at it.
DIALECTS = {"openai": "", "anthropic": "claude-opus-5-5+", "gemini": "gemini-3.5-flash+"}
SLASHED = "org/mock-ok v1:2"  # a name that clients must percent-encode in a path


def fill(platform, upstream):
    table = json.loads(VARIANTS.read_text())
    for row in table["rows"]:
        name = f"mock-{row['variant']}"
        platform.add_model(name, upstream, row.get("upstream", name))
    for name in table["extra_models"]:
        platform.add_model(f"mock-{name}", upstream, f"mock-{name}")
    platform.add_model(SLASHED, upstream, "mock-ok")
    platform.add_model("mock-sixteen", upstream, "mock-ok:tokens=16")
    for dialect, model in DIALECTS.items():
        for script in table["dialect_models"]:
            platform.add_model(f"{dialect}/mock-{public(script)}", base_url(upstream, dialect),
                               f"{model}mock-{script}", dialect)
    return {
        "DEEPPOOL_E2E_ROOT": platform.root,
        "DEEPPOOL_E2E_BASE_URL": platform.base_url,
        "DEEPPOOL_E2E_KEY": platform.add_key("e2e"),
        "DEEPPOOL_E2E_RPM_KEY": platform.add_key("one a minute", rate_limit_rpm=1),
        "DEEPPOOL_E2E_RPM_KEY_2": platform.add_key("another", rate_limit_rpm=1),
        "DEEPPOOL_E2E_QUOTA_KEY": platform.add_key("spent", quota_total=1),
    }


def run(command, env):
    return subprocess.run(command, env=dict(os.environ, **env), check=False).returncode


def run_with_servers(options, folder, running):
    mock, upstream = start_mock(options.build, folder)
    running.append(mock)
    if options.direct:
        return run(options.command, {"DEEPPOOL_E2E_BASE_URL": upstream, "DEEPPOOL_E2E_KEY": "direct"})
    platform = Platform(options.build, folder)
    running.append(platform)
    status = run(options.command, fill(platform, upstream))
    if status:
        print("the platform's last lines:\n" + platform.process.output()[-3000:], file=sys.stderr)
    return status


def main():
    parser = argparse.ArgumentParser(prog="deeppool_e2e")
    parser.add_argument("--build", type=Path, default=Path("build/dev"))
    parser.add_argument("--direct", action="store_true")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    if os.environ.get("DEEPPOOL_E2E_BASE_URL"):
        return run(options.command, {})
    with tempfile.TemporaryDirectory(prefix="deeppool-e2e-") as folder:
        running = []
        try:
            return run_with_servers(options, folder, running)
        finally:
            for part in reversed(running):
                part.stop()


if __name__ == "__main__":
    sys.exit(main())
