"""The rows of bans.toml against the tree."""

import fnmatch
import re

from source import Finding

_CPP = ["*.cc", "*.h"]
# The rules quote what they forbid.
EXEMPT = "tools/tidy/"


class Ban:
    def __init__(self, row):
        self.rule = row["rule"]
        self.where = row.get("in", "code")
        self.pattern = re.compile(row["pattern"], re.M if self.where == "file" else 0)
        self.reason = row["reason"]
        self.files = row.get("files", _CPP)
        self.allow = row.get("allow", [])
        self.catches = row["catches"]
        self.passes = row["passes"]

    def covers(self, source):
        if source.path.startswith(EXEMPT) or self.where == "code" and not source.is_cpp:
            return False
        matches = lambda patterns: any(fnmatch.fnmatch(source.path, p) for p in patterns)
        return matches(self.files) and not matches(self.allow)

    def check(self, source):
        text = source.code if self.where == "code" else source.text
        for match in self.pattern.finditer(text):
            line = source.line_of(match.start())
            if not source.excused(line, self.rule):
                yield Finding(source.path, line, self.rule, self.reason)


def check(bans, sources):
    for source in sources:
        for ban in bans:
            if ban.covers(source):
                yield from ban.check(source)
