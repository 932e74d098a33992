"""perf over DeepPool under load. See profile.sh."""

import re
import subprocess
import sys
import threading
from pathlib import Path

import rows
import run
import stand

LOADS = {
    "request": {"model": rows.ANSWER, "body_size": 1024, "connections": 64},
    "request_64k": {"model": rows.ANSWER, "body_size": 64 * 1024, "connections": 64},
    "stream": {"model": rows.PACED_1000, "stream": True, "connections": 1000},
    "flood": {"model": rows.FLOOD, "stream": True, "connections": 8},
}


def threads(pid):
    """CPU seconds of each thread by name."""
    out = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        ns = int((task / "schedstat").read_text().split()[0])
        out[f"{name}-{task.name}"] = ns / 1e9
    return out


def main():
    kind = sys.argv[1] if len(sys.argv) > 1 else "request"
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5
    if kind not in LOADS:
        sys.exit(f"profile: wanted one of {', '.join(LOADS)}")
    with run.Bench(run.defaults()) as bench:
        gateway = bench.contenders[0]
        load = threading.Thread(target=stand.load, args=(gateway.url(),),
                                kwargs={"duration": seconds + 3, "grace": 0, **LOADS[kind]})
        load.start()
        threading.Event().wait(2)  # past the opening of connections
        before = threads(gateway.pid)
        data = bench.results / f"perf.{kind}.data"
        subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", "4000", "-g",
                        "-p", str(gateway.pid), "-o", data, "--", "sleep", str(seconds)], check=True)
        after = threads(gateway.pid)
        load.join()
    for name, used in sorted(after.items(), key=lambda item: -item[1]):
        spent = used - before.get(name, 0)
        if spent > 0.005:
            print(f"thread {name:24} {spent:6.2f} s of {seconds:.0f}")
    for fields, share in (("dso", "1"), ("dso,symbol", "0.5")):
        print(f"\nby {fields}, self time")
        print(report(data, fields, share))


def report(data, fields, least_percent):
    text = subprocess.run(["perf", "report", "-i", data, "--no-children", "-g", "none", "--stdio",
                           "--percent-limit", least_percent, "-s", fields],
                          capture_output=True, text=True).stdout
    return "\n".join(re.sub(r"[ -]*$", "", line) for line in text.splitlines()
                     if line.strip() and not line.startswith("#"))


if __name__ == "__main__":
    main()
