"""The project's own files, as the tests about them read them."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("config", "consent", "campaigns", "tests", "benchmarks", "tools", "docs", "templates", "static", ".ci")
TEXT = {".py", ".html", ".css", ".js", ".svg", ".md", ".toml", ".txt", ".in", ".cfg", ".csv", ".yml", ".example", ""}
TEXT |= {".json"}
SKIPPED = {"__pycache__", "node_modules"}


def files(*suffixes: str) -> Iterator[Path]:
    """Every text file of the project, or those with one of the suffixes."""
    found = [p for p in ROOT.iterdir() if p.is_file() and p.name != ".env" and not p.name.startswith(".coverage")]
    found += [p for folder in FOLDERS for p in (ROOT / folder).rglob("*") if p.is_file()]
    for path in sorted(found):
        if not SKIPPED & set(path.parts) and path.suffix in (set(suffixes) or TEXT):
            yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
