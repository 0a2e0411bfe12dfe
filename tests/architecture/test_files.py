"""What no file of the project may be or hold."""

import re
from pathlib import Path

from tests.architecture.sources import ROOT, files, name

LONGEST = 400  # lines: longer ones are two modules
# In pieces, so that this file does not hold what it forbids.
_HOSTS = [("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("debian", "org"), ("crates", "io")]
REGISTRY = re.compile("|".join(rf"\b{host}\.{end}\b" for host, end in _HOSTS))
INDEX_LINE = re.compile(r"^\s*(-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host)\b", re.M)
HERE = [str(ROOT), str(Path.home()), "/" + "work", "/home/" + "runner"]
MACHINE_PATH = re.compile("|".join(rf"(?<![\w./:]){re.escape(path)}/" for path in HERE if len(path) > 3))
INLINE = re.compile(r"<style\b|\sstyle\s*=\s*[\"'{]|\son[a-z]+\s*=\s*[\"']|javascript:", re.I)
SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.I | re.S)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_no_source_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {
        name(path): _text(path).count("\n")
        for path in files(".py", ".html", ".css", ".js")
        if "migrations" not in path.parts
    }
    assert lengths
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST} == {}


def test_no_page_carries_script_or_style_of_its_own() -> None:
    """The content security policy would drop it."""
    templates = list(files(".html", ".svg"))
    assert templates
    guilty = []
    for path in templates:
        scripts = SCRIPT.findall(_text(path))
        if INLINE.search(_text(path)) or any("src=" not in attributes or body.strip() for attributes, body in scripts):
            guilty.append(name(path))
    assert guilty == []


def test_no_markup_made_in_python_carries_a_style() -> None:
    sources = [path for path in files(".py") if path.parts[len(ROOT.parts)] in ("config", "consent", "campaigns")]
    assert sources
    assert [name(path) for path in sources if re.search(r"<\w+[^>]*\sstyle=", _text(path))] == []


def test_no_file_names_a_registry() -> None:
    found = {name(path) for path in files() if REGISTRY.search(_text(path))}
    found |= {name(path) for path in files(".txt", ".in") if INDEX_LINE.search(_text(path))}
    assert found == set()


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    assert {name(path) for path in files() if MACHINE_PATH.search(_text(path))} == set()


def test_the_locks_hold_every_package_to_its_hash() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt"):
        pinned = re.findall(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==", _text(ROOT / lock), re.M)
        hashed = re.findall(
            r"^([a-z0-9._-]+)(?:\[[^]]*\])?==[^ ]+(?: ;[^\\]+)? \\\n    --hash=sha256:", _text(ROOT / lock), re.M
        )
        assert len(pinned) > 20
        assert pinned == hashed
