#!/usr/bin/env python3
"""Plants one violation of each rule and asks that tidy finds it there, and nothing where there is none."""

import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import bans  # noqa: E402
import layers  # noqa: E402
import sizes  # noqa: E402
import source  # noqa: E402
import tidy  # noqa: E402

TABLE = tomllib.loads((HERE.parent / "layers.toml").read_text(encoding="utf-8"))
ROWS = tomllib.loads((HERE / "bans.toml").read_text(encoding="utf-8"))["ban"]

HEADER = "// What it is.\n#pragma once\n"
BODY = "".join(f"  step({i});\n" for i in range(80))
DEEP = "void f() {\n if (a) {\n for (;;) {\n while (b) {\n if (c) {\n g();\n}\n}\n}\n}\n}\n"
README = {"src/http/README.md": "# http\n"}


def run(files):
    """The (path, line, rule) triples that tidy reports for a tree of {path: text}."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            target = Path(root) / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return [(f.path, f.line, f.rule) for f in tidy.findings(root, TABLE, ROWS)]


# What is planted, and where it must be found.
PLANTED = [
    ("upward include", {"src/http/a.cc": '\n#include "gateway/x.h"\n'}, ("src/http/a.cc", 2, "layers")),
    ("sideways include", {"src/http/a.cc": '#include "sql/x.h"\n'}, ("src/http/a.cc", 1, "layers")),
    ("testing in code", {"src/http/a.cc": '#include "testing/x.h"\n'}, ("src/http/a.cc", 1, "layers")),
    ("unknown module", {"src/misc/a.cc": "", "src/misc/README.md": "x"}, ("src/misc/a.cc", 1, "layers")),
    ("database header", {"src/http/a.cc": "#include <sqlite3.h>\n"}, ("src/http/a.cc", 1, "confined")),
    ("asio", {"src/http/a.cc": "#include <boost/asio.hpp>\n"}, ("src/http/a.cc", 1, "confined")),
    ("openssl", {"src/http/a.cc": "#include <openssl/evp.h>\n"}, ("src/http/a.cc", 1, "confined")),
    ("long function", {"src/http/a.cc": f"int f() {{\n{BODY}}}\n"}, ("src/http/a.cc", 1, "function-length")),
    ("long method", {"src/http/a.cc": f"A::A()\n    : a_(1), b_{{2}} {{\n{BODY}}}\n"},
     ("src/http/a.cc", 1, "function-length")),
    ("deep nesting", {"src/http/a.cc": DEEP}, ("src/http/a.cc", 5, "nesting")),
    ("many parameters", {"src/http/a.cc": "void f(int a, int b, map<int, int> c, int d, int e, int g) {}\n"},
     ("src/http/a.cc", 1, "parameters")),
    ("long file", {"src/http/a.cc": "\n" * 801}, ("src/http/a.cc", 1, "file-length")),
    ("long header", {"src/http/a.h": HEADER + "\n" * 400}, ("src/http/a.h", 1, "file-length")),
    ("wide line", {"src/http/a.cc": "// " + "x" * 98 + "\n"}, ("src/http/a.cc", 1, "columns")),
    ("bare header", {"src/http/a.h": "#pragma once\n"}, ("src/http/a.h", 1, "header-opening")),
    ("no readme", {"src/json/a.cc": ""}, ("src/json", 1, "readme")),
    ("long readme", {"src/json/README.md": "x\n" * 41}, ("src/json/README.md", 1, "readme")),
    ("broken script", {"a.sh": "set -e\nif true; then\n"}, ("a.sh", 1, "bash")),
    ("unexplained excuse", {"src/http/a.cc": "f(rand());  // tidy: allow rand:\n"},
     ("src/http/a.cc", 1, "rand")),
]

# What looks like a violation and is none.
FINE = [
    ("downward include", {"src/http/a.cc": '#include "base/x.h"\n#include "async/x.h"\n'}),
    ("commented include", {"src/http/a.cc": '// #include "gateway/x.h"\n'}),
    ("test uses testing", {"src/http/a_test.cc": '#include "testing/x.h"\n'}),
    ("tls file uses openssl", {"src/http/client/tls.cc": "#include <openssl/ssl.h>\n"}),
    ("banned word in a string", {"src/http/a.cc": 'auto s = "rand()"; auto r = R"(rand())";\n'}),
    ("banned word in a comment", {"src/http/a.cc": "// rand() is banned\n"}),
    ("fractions away from money", {"src/http/a.cc": "double x = 0.5;\n"}),
    ("digit separators", {"src/http/a.cc": "int x = 1'000'000;  // rand()\n"}),
    ("excused line", {"src/http/a.cc": "// tidy: allow rand: seeds a hash only\nf(rand());\n"}),
    ("brace initialisers", {"src/http/a.cc": "int t[] = {" + "1,\n" * 90 + "};\nvoid f() {}\n"}),
    ("long class", {"src/http/a.cc": "class A {\n" + "  int f() { return 1; }\n" * 90 + "};\n"}),
    ("a local table is data", {"src/http/a.cc": "void f() {\n  const int t[] = {" + "{1},\n" * 90 + "};\n}\n"}),
    ("a raw string cannot be broken", {"src/http/a.cc": '    R"(' + "x" * 120 + ')"\n'}),
    ("lambdas are not nesting", {"src/http/a.cc": "void f() {\n if (a) {\n g([] {\n for (;;) {\n if (b) {}\n"
                                 "}\n});\n}\n}\n"}),
]


class Planted(unittest.TestCase):
    def test_each_planted_violation_is_found(self):
        for title, files, expected in PLANTED:
            with self.subTest(title):
                self.assertIn(expected, run(README | files))

    def test_what_is_fine_is_left_alone(self):
        for title, files in FINE:
            with self.subTest(title):
                self.assertEqual([], run(README | files))

    def test_long_but_allowed_is_a_note(self):
        with tempfile.TemporaryDirectory() as root:
            path = Path(root) / "a.cc"
            path.write_text("\n" * 500)
            found = list(sizes.check([source.Source(root, "a.cc")]))
            self.assertEqual([("file-length", True)], [(f.rule, f.soft) for f in found])


class Rows(unittest.TestCase):
    def test_every_ban_catches_its_example_and_passes_the_other(self):
        for row in ROWS:
            ban = bans.Ban(row)
            with self.subTest(ban.rule), tempfile.TemporaryDirectory() as root:
                name = "src/http/a.h" if row.get("files") == ["src/*.h"] else "src/http/a.cc"
                name = "a.sh" if row.get("in") == "file" else name
                name = row.get("plant", name)  # where the rule does not hold everywhere
                for text, count in ((ban.catches, 1), (ban.passes, 0)):
                    target = Path(root) / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(text)
                    found = list(bans.check([ban], [source.Source(root, name)]))
                    self.assertEqual(count, len(found), f"{ban.rule} on: {text}")

    def test_no_rule_is_written_twice(self):
        names = [row["rule"] for row in ROWS]
        self.assertEqual(len(names), len(set(names)))


class Table(unittest.TestCase):
    def test_the_list_is_sound(self):
        self.assertEqual([], list(layers.Layers(TABLE).check_table()))

    def test_a_circle_is_found(self):
        self.assertEqual(["a", "b", "c", "a"], layers.find_circle({"a": {"b"}, "b": {"c"}, "c": {"a"}}))
        self.assertIsNone(layers.find_circle({"a": {"b", "c"}, "b": {"c"}}))


if __name__ == "__main__":
    unittest.main()
