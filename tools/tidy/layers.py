"""Includes against tools/layers.toml: which module may use which, and who may see a library's headers."""

import re

from source import Finding

_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)


class Layers:
    def __init__(self, table):
        self.rank = {}
        self.names = table["layers"]
        for layer, modules in table["modules"].items():
            for module in modules:
                self.rank[module] = self.names.index(layer)
        self.edges = {name: set(to) for name, to in table.get("edges", {}).items()}
        self.testing = table["testing"]["module"]
        self.rank[self.testing] = self.names.index(table["testing"]["layer"])
        self.confined = [(re.compile(c["header"]), tuple(c["only"]), c["reason"])
                         for c in table.get("confined", [])]

    def check_table(self):
        """The list itself: edges only inside one layer, and no circle."""
        for user, used in self.edges.items():
            for module in used:
                if self.rank.get(user) is None or self.rank.get(module) is None:
                    yield Finding("tools/layers.toml", 1, "layers", f"unknown: {user} -> {module}")
                elif self.rank[user] != self.rank[module]:
                    yield Finding("tools/layers.toml", 1, "layers",
                                  f"{user} -> {module} crosses layers and needs no edge")
        circle = find_circle(self.edges)
        if circle:
            yield Finding("tools/layers.toml", 1, "cycle", " -> ".join(circle))

    def module_of(self, path):
        parts = path.split("/")
        if parts[0] == "src" and len(parts) > 2:
            return parts[1]
        return parts[0] if parts[0] in self.rank else None

    def may_use(self, user, used, is_test):
        if user == used:
            return True
        if user == self.testing:
            return self.rank[used] <= self.rank[self.testing]
        if used == self.testing:
            return is_test or self.rank[user] == len(self.names) - 1
        if self.rank[used] < self.rank[user]:
            return True
        return used in self.edges.get(user, ())


def find_circle(graph):
    """One circle in {node: {nodes}} as a list, or None."""
    done, path = set(), []

    def visit(node):
        if node in path:
            return path[path.index(node):] + [node]
        if node in done:
            return None
        path.append(node)
        for following in sorted(graph.get(node, ())):
            circle = visit(following)
            if circle:
                return circle
        path.pop()
        done.add(node)
        return None

    for start in sorted(graph):
        circle = visit(start)
        if circle:
            return circle
    return None


def includes(source):
    # The names are strings, so they are read from the text; the code view tells what is commented out.
    for match in _INCLUDE.finditer(source.text):
        if source.code[match.start():match.end()].lstrip().startswith("#"):
            yield source.line_of(match.start()), match.group(1), match.group(2)


def check(layers, sources):
    yield from layers.check_table()
    graph = {}
    for source in sources:
        if not source.is_cpp:
            continue
        module = layers.module_of(source.path)
        if source.path.startswith("src/") and module not in layers.rank:
            yield Finding(source.path, 1, "layers",
                          f"module {module} is not in tools/layers.toml; give it a layer there")
            continue
        for line, bracket, name in includes(source):
            yield from check_confined(layers, source, line, name)
            used = name.split("/")[0]
            if bracket != '"' or used not in layers.rank or "/" not in name:
                continue
            if module is None or used == module:
                continue
            if not layers.may_use(module, used, source.is_test):
                yield Finding(source.path, line, "layers",
                              f"{module} may not use {used} ({name}); see tools/layers.toml")
            elif not source.is_test:
                graph.setdefault(module, set()).add(used)
    circle = find_circle(graph)
    if circle:
        yield Finding("src", 1, "cycle", " -> ".join(circle))


def check_confined(layers, source, line, name):
    for header, only, reason in layers.confined:
        if header.search(name) and not source.path.startswith(only or ("\0",)):
            yield Finding(source.path, line, "confined", f"{name}: {reason}")
