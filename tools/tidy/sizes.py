"""Numbers that keep code readable: lengths of files, functions, lines and lists; depth of nesting."""

import re

from source import Finding

FUNCTION_LINES = 70
CC_SOFT, CC_HARD = 400, 800
HEADER_SOFT, HEADER_HARD = 200, 400
COLUMNS = 100
NESTING = 3
PARAMETERS = 5
README_LINES = 40

_CONTROL = re.compile(r"^(?:\}\s*)?(?:else\b|if\b|for\b|while\b|switch\b|do\b|try\b|catch\b)")
_TYPE = re.compile(r"\b(class|struct|union|enum)\b")
_SPACE = re.compile(r"^\s*(inline\s+)?(namespace\b|extern\s*\"\s*\")")


class Function:
    def __init__(self, name, first, head):
        self.name, self.first, self.head = name, first, head
        self.depth = self.deepest = 0
        self.table_lines = 0
        self.deepest_at = first


def functions(code):
    """Yields (Function, last line) for each function body in blanked code. Rows of a local table are data.

    A scanner of braces, not a parser: it knows namespaces, types, functions (with member initialisers),
    control blocks and everything else, which is enough for lengths and depths.
    """
    # Same offsets, no preprocessor lines: a macro's braces belong to nobody.
    code = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.M)
    stack, line, start, parens = [], 1, 0, 0
    current = None
    for at, char in enumerate(code):
        if char == "\n":
            line += 1
        elif char == "(":
            parens += 1
        elif char == ")":
            parens -= 1
        elif char == ";" and parens == 0:
            start = at + 1
        elif char == "{":
            head = code[start:at]
            kind = classify(head, current is not None)
            if kind == "function":
                offset = len(head) - len(head.lstrip())
                first = line - head[offset:].count("\n")
                current = Function(name_of(head), first, head)
            elif kind == "control":
                current.depth += 1
                if current.depth > current.deepest:
                    current.deepest, current.deepest_at = current.depth, line
            table_from = line if current and re.search(r"=\s*$", head) else None
            stack.append((kind, start, parens, table_from))
            if kind != "initialiser":
                start, parens = at + 1, 0
        elif char == "}" and stack:
            kind, head_start, parens, table_from = stack.pop()
            if current and table_from is not None:
                current.table_lines += line - table_from
            if kind == "function":
                yield current, line
                current = None
            elif kind == "control":
                current.depth -= 1
            # After a member's {...} the same head goes on; after anything else a new one begins.
            start = head_start if kind == "initialiser" else at + 1


def classify(head, inside_function):
    text = head.strip()
    if inside_function:
        return "control" if _CONTROL.search(text) else "other"
    if _SPACE.search(head):
        return "namespace"
    plain = strip_templates(text)
    if "(" not in plain:
        return "type" if _TYPE.search(plain) else "other"
    if re.search(r"\)[\w\s]*:(?!:)", plain) and re.search(r"[\w>]$", plain):
        return "initialiser"
    if re.search(r"=\s*$", plain) or re.search(r"[=,(]\s*$", plain):
        return "other"
    if re.search(r"^\s*(constexpr|const|static|inline|auto|\w+)[^()]*=", plain) and \
            "operator" not in plain:
        return "other"
    return "function"


def strip_templates(text):
    return re.sub(r"^template\s*<[^{}]*?>\s*(?=[\w:\[])", "", text)


def name_of(head):
    found = re.search(r"([\w:~]+|operator[^\s(]*)\s*\(", strip_templates(head.strip()))
    return found.group(1) if found else "?"


def parameter_count(head):
    """Parameters of the first argument list of a function's head."""
    head = strip_templates(head.strip())
    begin = head.find("(")
    depth = angle = count = 0
    for at in range(begin, len(head)):
        char = head[at]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
            if depth == 0:
                return count + 1 if head[begin + 1:at].strip() else 0
        elif char == "<":
            angle += 1
        elif char == ">" and head[at - 1] != "-":
            angle -= 1
        elif char == "," and depth == 1 and angle <= 0:
            count += 1
    return 0


def check_functions(source):
    for function, last in functions(source.code):
        where, name = function.first, function.name
        length = last - where + 1 - function.table_lines
        if length > FUNCTION_LINES:
            yield Finding(source.path, where, "function-length",
                          f"{name} has {length} lines, at most {FUNCTION_LINES}; name its parts")
        if function.deepest > NESTING:
            yield Finding(source.path, function.deepest_at, "nesting",
                          f"{name} nests {function.deepest} deep, at most {NESTING}; return early")
        count = parameter_count(function.head)
        if count > PARAMETERS:
            yield Finding(source.path, where, "parameters",
                          f"{name} takes {count}, at most {PARAMETERS}; make a struct of them")


def check_file_length(source):
    soft, hard = (HEADER_SOFT, HEADER_HARD) if source.path.endswith(".h") else (CC_SOFT, CC_HARD)
    count = len(source.lines)
    if count > hard:
        yield Finding(source.path, 1, "file-length", f"{count} lines, never more than {hard}")
    elif count > soft:
        yield Finding(source.path, 1, "file-length", f"{count} lines, aim for {soft}", soft=True)


def check(sources):
    for source in sources:
        if source.path.endswith(".md") and re.match(r"src/[^/]+/README\.md$", source.path):
            if len(source.lines) > README_LINES:
                yield Finding(source.path, 1, "readme", f"more than {README_LINES} lines")
        if not source.is_cpp:
            continue
        yield from check_file_length(source)
        for number, line in enumerate(source.lines, 1):
            # A raw string cannot be broken.
            if len(line) > COLUMNS and not re.match(r'\s*R"', line) and not source.excused(number, "columns"):
                yield Finding(source.path, number, "columns", f"{len(line)} columns, at most {COLUMNS}")
        for finding in check_functions(source):
            if not source.excused(finding.line, finding.rule):
                yield finding
        if source.path.endswith(".h"):
            yield from check_header(source)


def check_header(source):
    if not source.text.startswith("//"):
        yield Finding(source.path, 1, "header-opening",
                      "open with what this is, who owns it, its thread and its invariant")
    if "#pragma once" not in source.text:
        yield Finding(source.path, 1, "header-opening", "no #pragma once")
