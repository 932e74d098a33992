"""Reads a source file the way the rules want it: as text, and as code without comments and strings."""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

CPP = (".cc", ".h")

_TOKEN = re.compile(
    r"""//[^\n]*(?:\\\n[^\n]*)*            # line comment
      | /\*.*?\*/                          # block comment
      | R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"   # raw string
      | "(?:\\.|[^"\\\n])*"                # string
      | (?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'         # character, not a digit separator
    """,
    re.X | re.S,
)
_ALLOW = re.compile(r"(?://|#|--)\s*tidy: allow ([\w-]+): \S")


def blank(text):
    """The same text with comments and literals replaced by spaces, line for line."""

    def spaces(match):
        word = match.group(0)
        filled = re.sub(r"[^\n]", " ", word)
        if word[0] in "\"'":
            return word[0] + filled[1:-1] + word[-1] if len(word) > 1 else filled
        return filled

    return _TOKEN.sub(spaces, text)


@dataclass(frozen=True)
class Finding:
    path: str
    line: int
    rule: str
    reason: str
    soft: bool = False

    def __str__(self):
        return f"{self.path}:{self.line}: {'note ' if self.soft else ''}{self.rule}: {self.reason}"


class Source:
    """One file. `path` is relative to the root, with forward slashes."""

    def __init__(self, root, path):
        self.path = path
        self.text = (Path(root) / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()

    @functools.cached_property
    def code(self):
        return blank(self.text)

    @property
    def is_cpp(self):
        return self.path.endswith(CPP)

    @property
    def is_test(self):
        stem = self.path.rsplit("/", 1)[-1].removesuffix(".cc")
        return stem.endswith(("_test", "_itest", "_bench", "_fuzz"))

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def excused(self, line, rule):
        """Whether the line, or the one above, carries `tidy: allow <rule>: <reason>`."""
        for number in (line, line - 1):
            if 1 <= number <= len(self.lines):
                found = _ALLOW.search(self.lines[number - 1])
                if found and found.group(1) == rule:
                    return True
        return False
