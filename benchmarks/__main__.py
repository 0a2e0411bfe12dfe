"""``python -m benchmarks [--contacts N] [--database URL] [--json FILE]``: ratios with their bounds, in one run."""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.worker import Worker, once
from benchmarks.worlds import scratch

SMALL = 10_000
RUNS = 3
PAGE_RUNS = 5
PEOPLE = 5000  # of an import, two answers each
STOPS = 400
TEXTS = 3000  # of a dispatch
# A page of a few milliseconds is noise: below this difference two times count as the same.
NOISE_MS = 3.0
SLACK_MB = 24.0  # what a larger job may need more: caches that fill, memory the allocator keeps


@dataclass
class Line:
    """A measured ratio: what, ours and theirs in the unit, the bound, whether it is within."""

    what: str
    ours: float
    theirs: float
    unit: str
    ratio: float
    bound: str
    within: bool


class Report:
    """Prints each line as it is measured and keeps it."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def heading(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def at_most(self, what: str, ours: float, theirs: float, unit: str, bound: float, slack: float = 0) -> None:
        within = ours <= bound * theirs or ours - theirs <= slack
        self._add(Line(what, ours, theirs, unit, ours / theirs, f"≤ {bound:g}", within))

    def at_least(self, what: str, ours: float, theirs: float, unit: str, bound: float) -> None:
        self._add(Line(what, ours, theirs, unit, theirs / ours, f"≥ {bound:g}", theirs >= bound * ours))

    def flat(self, what: str, small: float, large: float) -> None:
        line = Line(what, large, small, "MB", large - small, f"≤ +{SLACK_MB:g} MB", large - small <= SLACK_MB)
        self._add(line)

    def same(self, what: str, large: int, small: int) -> None:
        self._add(Line(what, large, small, "queries", large / small, "same", large == small))

    def _add(self, line: Line) -> None:
        self.lines.append(line)
        mark = "within" if line.within else "OVER"
        ratio = f"{line.ratio:+.1f}" if line.unit == "MB" else f"{line.ratio:.2f}"
        print(
            f"  {line.what:<44} {line.ours:>10.2f} {line.theirs:>10.2f} {line.unit:<8} {ratio:>7}  "
            f"{line.bound:<10} {mark}",
            flush=True,
        )


def main() -> int:
    """Run everything; returns 1 when a ratio is over its bound."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--contacts", type=int, default=1_000_000)
    parser.add_argument("--database", default="", help="a PostgreSQL server's URL; SQLite when not given")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    report, started = Report(), time.monotonic()
    engine = "PostgreSQL" if options.database else "SQLite"
    print(f"{engine}, {options.contacts:,} contacts with two purposes each; best of {RUNS} runs that take turns,")
    print("of one run where a run writes")
    with scratch(options.database) as large_env, scratch(options.database) as small_env:
        for env, contacts in ((small_env, SMALL), (large_env, options.contacts)):
            began = time.monotonic()
            once(env, "build", contacts=contacts)
            print(f"  built {contacts:,} in {time.monotonic() - began:.0f} s", flush=True)
        large, small = Worker(large_env), Worker(small_env)
        try:
            pages(report, large, small)
            ratios(report, large, engine, options.contacts)
            texting(report, large, options.contacts)
        finally:
            large.close()
            small.close()
        memory(report, large_env, options.contacts)
    minutes = (time.monotonic() - started) / 60
    over = [line.what for line in report.lines if not line.within]
    print(f"\n{minutes:.1f} minutes. " + (f"Over the bound: {', '.join(over)}." if over else "All within."))
    if options.json:
        result = {
            "database": engine,
            "contacts": options.contacts,
            "minutes": round(minutes, 1),
            "ratios": [asdict(line) for line in report.lines],
        }
        options.json.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")
    return 1 if over else 0


def ratios(report: Report, large: Worker, engine: str, contacts: int) -> None:
    """Ours against what is written by hand, on the large world."""
    report.heading(f"{'ours against by hand':<46} {'ours':>10} {'by hand':>10} {'':<8} {'ratio':>7}  bound")
    found = large("audience", runs=RUNS)
    report.at_most("audience counts / hand-written SQL", found["ours"], found["theirs"], "s", 1.3)
    found = large("explain", runs=RUNS)
    bound = 15 if engine == "PostgreSQL" else 25
    report.at_most("one explain / contact by key", found["ours"] * 1000, found["theirs"] * 1000, "ms", bound)
    found = large("expiry", runs=1)
    rows = f"expiry of {found['rows']:,}"
    report.at_most(f"{rows} / hand-written SQL", found["ours"], found["theirs"], "s", 2)
    report.at_least(f"{rows}: bulk_update_with_history / ours", found["ours"], found["slow"], "s", 10)
    found = large("importing", runs=1, people=min(PEOPLE, contacts // 100))
    report.at_most(f"import of {found['rows']:,} rows / bare bulk_create", found["ours"], found["theirs"], "s", 4)


def texting(report: Report, large: Worker, contacts: int) -> None:
    """Sending and being stopped, on the large world."""
    report.heading(f"{'texting, ours against by hand':<46} {'ours':>10} {'by hand':>10} {'':<8} {'ratio':>7}  bound")
    found = large("preflighting", runs=RUNS)
    report.at_most("preflight / hand-written SQL", found["ours"], found["theirs"], "s", 1.5)
    found = large("launching", runs=1)
    report.at_most("launch / hand-written INSERT … SELECT", found["ours"], found["theirs"], "s", 2)
    found = large("stopping", runs=min(STOPS, contacts // 40))
    report.at_most("STOP webhook, p99 / bare insert", found["ours"] * 1000, found["theirs"] * 1000, "ms", 8)
    texts = min(TEXTS, contacts // 10)
    found = large("dispatching", count=texts)
    report.at_most("dispatch / bare loop, a text", found["ours"] * 1000, found["theirs"] * 1000, "ms", 3)
    alone = large("growing", count=texts // 3, workers=1)["per_second"]
    for workers in (2, 4):
        together = large("growing", count=texts // 3 * workers, workers=workers)["per_second"]
        report.at_least(f"texts a second, {workers} workers / one", alone, together, "a second", 1)


def pages(report: Report, large: Worker, small: Worker) -> None:
    """Pages of the large world against the same pages of the small one, in turns."""
    report.heading(f"{'pages':<46} {'large':>10} {'small':>10} {'':<8} {'ratio':>7}  bound")
    for name in large("pages"):
        times: list[list[float]] = [[], []]
        counts = [worker("page", name=name, count_queries=True) for worker in (large, small)]
        for _run in range(PAGE_RUNS):
            for worker, kept in zip((large, small), times, strict=True):
                kept.append(worker("page", name=name) * 1000)
        report.at_most(name, min(times[0]), min(times[1]), "ms", 2, slack=NOISE_MS)
        report.same(f"{name}, queries", *counts)


def memory(report: Report, env: dict[str, str], contacts: int) -> None:
    """Each job on ten times as many rows, in a process of its own: the peak above what the process had before."""
    report.heading(f"{'memory above the start':<46} {'ten times':>10} {'once':>10} {'':<8} {'more':>7}  bound")
    many = max(1000, contacts // 4)
    for name in once(env, "job_names"):
        small, large = (once(env, "memory_of_job", name=name, limit=limit) for limit in (many // 10, many))
        report.flat(f"{name} ({int(small['rows']):,} → {int(large['rows']):,} rows)", small["mb"], large["mb"])
    texts = min(TEXTS, contacts // 20)
    small, large = (once(env, "memory_of_dispatch", count=count) for count in (texts // 10, texts))
    report.flat(f"dispatch ({int(small['rows']):,} → {int(large['rows']):,} texts)", small["mb"], large["mb"])
    people = 5 * min(PEOPLE, contacts // 100)
    first = 8_000_000
    small = once(env, "memory_of_import", people=people // 10, first=first)
    large = once(env, "memory_of_import", people=people, first=first + people)
    report.flat(f"import ({int(small['rows']):,} → {int(large['rows']):,} rows)", small["mb"], large["mb"])


if __name__ == "__main__":
    sys.exit(main())
