"""The rows of the table: one function each, which measures and returns a list of `Line`s.

A row compares DeepPool with nginx (or with no gateway at all) in interleaved runs, and takes medians.
"""

import dataclasses
import math
import re
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import seed
import stand

# Answers of about 700 bytes, the usual size of a short chat answer.
ANSWER = "mock:tokens=36"
PACED_100 = "mock:tokens=100000,chunk_ms=10"
PACED_1000 = "mock:tokens=100000,chunk_ms=50"
FLOOD = "mock-flood:tokens=20000"
IDLE = "mock:tokens=3,chunk_ms=19000"
FIRST_TOKEN = "mock:tokens=5"
MODELS = [ANSWER, PACED_100, PACED_1000, FLOOD, IDLE, FIRST_TOKEN]

STREAMS_FOR_MEMORY = 5000
NOTHING_MORE = seed.Fill()
FILL = seed.Fill(models=1000, keys=100_000)


@dataclasses.dataclass
class Line:
    """One line of the table."""
    what: str
    ours: float
    reference: float | None
    unit: str
    goal: float | None = None  # of ours / reference, or of ours where there is no reference
    note: str = ""

    @property
    def ratio(self):
        return self.ours / self.reference if self.reference else None

    @property
    def met(self):
        if self.goal is None or math.isnan(self.ours):
            return None
        return (self.ratio if self.ratio is not None else self.ours) <= self.goal


def median(values):
    return statistics.median(values)


def interleaved(bench, contenders, measure):
    """Runs `measure(contender)` in turn, the order reversed each round; name -> medians by figure."""
    results = {c.name: [] for c in contenders}
    for i in range(bench.pairs):
        for contender in contenders if i % 2 == 0 else reversed(contenders):
            results[contender.name].append(measure(contender))
    return {name: {figure: median([r[figure] for r in runs]) for figure in runs[0]}
            for name, runs in results.items() if runs}


def checked(report):
    if report["failed"] or (not report["completed"] and not report["events"]):
        raise RuntimeError(f"the load failed: {report}")
    return report


# ---- CPU per request and per event


def cpu_row(bench, what, goal, figure, kinds=("plain",), **options):
    model = options.pop("model", ANSWER)
    lines = []
    for kind in kinds:
        def measure(contender, kind=kind):
            report = checked(stand.load(
                contender.url(kind), watch=contender.pid, warmup=0.5, duration=bench.seconds,
                model=contender.model(model, kind), **options))
            return {"cpu": report["cpu"][figure], "rate": report["requests_per_s"],
                    "events": report["events_per_s"]}
        medians = interleaved(bench, bench.contenders, measure)
        ours, nginx = medians.get("deeppool"), medians["nginx"]
        rate = "rate" if figure == "us_per_request" else "events"
        note = f"{ours[rate] if ours else 0:,.0f}/s vs {nginx[rate]:,.0f}/s"
        label = what if kind in ("plain", "stream", "tls") else f"{what}, nginx with access log"
        lines.append(Line(label, ours["cpu"] if ours else float("nan"), nginx["cpu"], "us CPU",
                          goal if kind != "logged" else None, note))
    return lines


def request_1k(bench):
    return cpu_row(bench, "request 1 KB, answer 700 B, 64 connections", 0.90, "us_per_request",
                   kinds=("plain", "logged"), body_size=1024, connections=64)


def request_4k(bench):
    return cpu_row(bench, "request 4 KB", 1.0, "us_per_request", body_size=4096, connections=64)


def request_64k(bench):
    return cpu_row(bench, "request 64 KB", 1.0, "us_per_request", body_size=65536, connections=64)


def tls_upstream(bench):
    return cpu_row(bench, "TLS upstream, 1 KB", 1.0, "us_per_request", kinds=("tls",),
                   body_size=1024, connections=64)


def sse_100(bench):
    return cpu_row(bench, "SSE event, 100 streams paced", 0.90, "us_per_event", kinds=("stream",),
                   model=PACED_100, stream=True, connections=100, grace=0)


def sse_1000(bench):
    return cpu_row(bench, "SSE event, 1,000 streams paced", 0.90, "us_per_event",
                   kinds=("stream",), model=PACED_1000, stream=True, connections=1000, grace=0)


def sse_flood(bench):
    return cpu_row(bench, "SSE event, upstream flooding", 0.85, "us_per_event", kinds=("stream",),
                   model=FLOOD, stream=True, connections=8, grace=0)


def translated(bench):
    """An event of an Anthropic or Gemini upstream, beside one of an upstream that speaks the caller's dialect."""
    if not bench.has_deeppool:
        return []
    gateway, mock = bench.contenders[0], f"http://127.0.0.1:{bench.mock.port}"
    bases = {"custom": f"{mock}/v1", "anthropic": f"{mock}/v1", "gemini": f"{mock}/v1beta"}
    lines = []
    for load, script, connections in (("100 streams paced", PACED_100, 100), ("flooding", FLOOD, 8)):
        for dialect, base in bases.items():
            gateway.serve(f"{dialect} {load}", dialect, base, script)
        runs = {dialect: [] for dialect in bases}
        for _ in range(bench.pairs):
            for dialect in bases:
                report = checked(stand.load(
                    gateway.url(), watch=gateway.pid, warmup=0.5, duration=bench.seconds,
                    model=f"{dialect} {load}", stream=True, connections=connections, grace=0))
                runs[dialect].append(report["cpu"]["us_per_event"])
        cost = {dialect: median(spent) for dialect, spent in runs.items()}
        lines += [Line(f"SSE event from {dialect}, {load}", cost[dialect], cost["custom"], "us CPU", 1.5,
                       "beside one that is not translated") for dialect in ("anthropic", "gemini")]
    return lines


# ---- latency


def latency_line(bench, rate, figure, goals, **options):
    def measure(contender):
        report = checked(stand.load(contender.url("stream" if figure == "first_event" else "plain"),
                                    rate=rate, warmup=0.5, duration=bench.seconds, **options))
        return {q: report[figure][f"{q}_us"] for q in ("p50", "p99")}
    medians = interleaved(bench, [bench.mock] + bench.contenders, measure)
    what = "first token" if figure == "first_event" else "latency"
    lines = []
    for q, goal in zip(("p50", "p99"), goals):
        added = {name: m[q] - medians["direct"][q] for name, m in medians.items()}
        ours = added.get("deeppool", float("nan"))
        lines.append(Line(f"added {what} {q}, {rate:,}/s", ours, None, "us", goal,
                          f"nginx adds {added['nginx']:.0f}, direct is {medians['direct'][q]:.0f}"))
    return lines


def latency(bench):
    lines = []
    for rate, goals in ((500, (60, None)), (3000, (60, 250))):
        lines += latency_line(bench, rate, "latency", goals, model=ANSWER, connections=256)
    return lines


def first_token(bench):
    return latency_line(bench, 300, "first_event", (None, 300), model=FIRST_TOKEN, stream=True,
                        connections=256)


# ---- memory


def idle_streams(bench):
    """Each contender starts afresh: memory of earlier rows must not be mistaken for this one's."""
    per_stream = {}
    for contender in bench.fresh():
        worker = contender.worker()
        stand.load(contender.url("stream"), model=ANSWER, requests=200, connections=4)
        before = stand.resident(worker)
        report = stand.load(contender.url("stream"), watch=contender.pid, model=IDLE, stream=True,
                            connections=STREAMS_FOR_MEMORY, duration=5, grace=0)
        opened = report["first_event"]["count"]
        per_stream[contender.name] = (report["rss"]["after"] - before) / opened / 1024
        contender.stop()
    return [Line(f"memory per idle stream, {STREAMS_FOR_MEMORY:,} streams",
                 per_stream.get("deeppool", float("nan")), per_stream["nginx"], "KB", 1 / 3)]


def rest(bench):
    lines = []
    for contender in bench.fresh():
        stand.load(contender.url("plain"), model=ANSWER, requests=10, connections=1)
        if contender.name == "deeppool":
            lines.append(Line("memory at rest", stand.resident(contender.pid) / 1e6, None, "MB", 30))
        contender.stop()
    return lines


# ---- exact counts

# Both contenders use only these on sockets; their `write` and `pwrite64` are files.
SOCKET_CALLS = ("recvfrom", "recvmsg", "sendto", "sendmsg", "readv", "writev")


def syscalls(bench):
    """Counted by strace; the note has all calls by name, those on files, too."""
    lines = []
    for contender in bench.contenders:
        counts, requests = count_syscalls(contender)
        per_request = {name: n / requests for name, n in counts.items()}
        split = ", ".join(f"{name} {n:.2f}" for name, n in per_request.items() if n > 0.005)
        total = sum(per_request.get(name, 0) for name in SOCKET_CALLS)
        lines.append(Line(f"socket calls per request, {contender.name}", total, None, "",
                          4.1 if contender.name == "deeppool" else None, split))
    return lines


def count_syscalls(contender):
    with tempfile.NamedTemporaryFile() as out:
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-U", "calls,name", "-o", out.name, "-p",
             str(contender.worker())], stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        report = checked(stand.load(contender.url("plain"), model=ANSWER, body_size=1024,
                                    connections=64, requests=20_000, duration=30))
        tracer.send_signal(signal.SIGINT)
        tracer.wait()
        rows = re.findall(r"^\s*(\d+) (\w+)$", Path(out.name).read_text(), re.MULTILINE)
    return {name: int(n) for n, name in rows if name != "total"}, report["completed"]


def instructions(bench):
    """User instructions per request by callgrind: free of noise."""
    if not bench.has_deeppool:
        return []
    # Valgrind of Debian 12 cannot read clang's debug information; the symbols are enough.
    bare = bench.work / "deeppool"
    subprocess.run(["objcopy", "--strip-debug", stand.BIN / "deeppool", bare], check=True)
    gateway = bench.new_deeppool(["valgrind", "--tool=callgrind", "--instr-atstart=no",
                                  "--separate-threads=yes", f"--callgrind-out-file={bench.work}/callgrind.%p"], bare)
    options = {"model": ANSWER, "body_size": 1024, "connections": 8, "duration": 120}
    try:
        stand.load(gateway.url(), requests=500, **options)  # warm: pools, allocator, snapshots
        control(gateway, "--instr=on")
        report = checked(stand.load(gateway.url(), requests=10_000, **options))
        control(gateway, "--dump")
    finally:
        gateway.stop()
    threads = []
    for path in sorted(Path(bench.work).glob("callgrind.*.1-*")):
        spent = sum(map(int, re.findall(r"^(?:summary|totals): (\d+)", path.read_text(), re.MULTILINE)[:1]))
        threads.append((spent / report["completed"], path))
    threads.sort(reverse=True)
    for n, (_, path) in enumerate(threads[:3], 1):
        (bench.results / f"callgrind.out.{n}").write_bytes(path.read_bytes())
    split = " + ".join(f"{spent:,.0f}" for spent, _ in threads if spent > 100)
    return [Line("user instructions per request", sum(spent for spent, _ in threads), None, "",
                 60_000, f"by thread {split}; profiles in build/bench/callgrind.out.*")]


def control(gateway, command):
    subprocess.run(["callgrind_control", command, str(gateway.pid)], check=True, capture_output=True)


# ---- start


def start(bench):
    """From exec to the first answered request, with many models and keys in SQLite."""
    if not bench.has_deeppool:
        return []
    times = []
    work = bench.prepared(FILL)
    for _ in range(bench.pairs):
        gateway = bench.start_deeppool(work)
        stand.wait_for_answer(gateway.url(), ANSWER)
        times.append((time.monotonic() - gateway.started) * 1000)
        gateway.stop()
    return [Line(f"start to first answer, {FILL.models:,} models, {FILL.keys:,} keys",
                 median(times), None, "ms", 300)]


ROWS = {f.__name__: f for f in (
    request_1k, request_4k, request_64k, sse_100, sse_1000, sse_flood, translated, syscalls, instructions,
    latency, first_token, idle_streams, rest, tls_upstream, start)}
