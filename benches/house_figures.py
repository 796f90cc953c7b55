"""The size of the house: python3 benches/house_figures.py [COMMIT ...]

A table with a column for each commit and one for the working tree. Everything is read from the text of the sources. Needs git and
Python's standard library only. What is counted:

* code: lines without blanks, comments, documentation and unit tests; library: `src` without `src/bin`;
* length of a function: from its first to its closing brace, as rustfmt lays them out;
* public: what can be named from outside of the crate, along `pub mod` and `pub use`;
* decisions by text: comparisons of a name or a label with a text in the library;
* circles: groups of files that import each other, directly or around, by the paths that they write;
* examples: documentation examples that run; files of `examples/` that are no programs of benchmarks.
"""

import io
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FN = re.compile(r"^(\s*)(?:pub(?:\([^)]*\))? )?(?:const |unsafe |async |extern \"C\" )*fn (\w+)")
ITEM = re.compile(r"^pub (?:const |unsafe )*(struct|enum|trait|union|type|fn|const|static) (\w+)")
FENCE = re.compile(r"^\s*//[/!]\s?```(.*)$")


def sources(root, folder="src"):
    return {p.relative_to(root / folder): p.read_text() for p in sorted((root / folder).rglob("*.rs"))}


def code(text):
    """Lines before the unit tests."""
    lines = text.split("\n")
    for k, line in enumerate(lines[:-1]):
        if line == "#[cfg(test)]" and lines[k + 1].startswith("mod "):
            return lines[:k]
    return lines


def counted(lines):
    return [line for line in lines if line.strip() and not line.strip().startswith("//")]


def lengths(lines):
    for k, line in enumerate(lines):
        found = FN.match(line)
        if found and not line.endswith((";", "}")):
            close = found[1] + "}"
            end = next((j for j in range(k, len(lines)) if lines[j] == close), k)
            yield end - k + 1, found[2]


def place(path):
    parts = list(path.with_suffix("").parts)
    return tuple(parts[:-1] if parts[-1] == "mod" else [] if parts == ["lib"] else parts)


def uses(lines):
    """Statements `use` as (whether they pass on, list of full paths)."""
    text = "\n".join(line.split("//")[0] for line in lines)
    for found in re.finditer(r"^\s*(pub(?:\([^)]*\))? )?use ([^;]+);", text, re.M):
        yield (found[1] or "").strip(), expanded(re.sub(r"\s+", " ", found[2]))


def expanded(path):
    head, brace, rest = path.partition("{")
    if not brace:
        return [path.split(" as ")[0].strip()]
    parts, depth, start, inner = [], 0, 0, rest.rstrip().removesuffix("}")
    for k, c in enumerate(inner + ","):
        depth += (c == "{") - (c == "}")
        if c == "," and depth == 0:
            parts.append(inner[start:k].strip())
            start = k + 1
    return [q for part in parts if part for q in expanded(head.strip() + part)]


def absolute(path, module):
    parts = path.split("::")
    if parts[0] == "crate":
        return tuple(parts[1:])
    if parts[0] == "self":
        return module + tuple(parts[1:])
    base = module
    while parts and parts[0] == "super":
        base, parts = base[:-1], parts[1:]
    return base + tuple(parts)


def public(files):
    """Public items and modules that can be named from outside."""
    said = {place(p): code(t) for p, t in files.items()}
    passed = {m: {q.split("::")[-1] for how, ps in uses(ls) if how == "pub" for q in ps} for m, ls in said.items()}
    doors = {m: {w[1] for line in ls if (w := re.match(r"pub mod (\w+)", line))} for m, ls in said.items()}

    def reachable(module, name):
        seen = True
        for k in range(len(module) - 1, -1, -1):
            seen = (seen and module[k] in doors.get(module[:k], ())) or name in passed.get(module[:k], ())
        return seen

    items = [(m, found[2], found[1]) for m, ls in said.items() for line in ls if (found := ITEM.match(line))]
    items = [(m, name, kind) for m, name, kind in items if reachable(m, name)]
    modules = [(m, name) for m, names in doors.items() for name in names if reachable(m, name)]
    kinds = {"struct", "enum", "trait", "union", "type"}
    names = [found[2] for ls in said.values() for line in ls if (found := ITEM.match(line)) and found[1] in kinds]
    return items, modules, {n for n in names if names.count(n) > 1}


def circles(files):
    """Groups of files that import each other: strongly connected components, by depth-first search."""
    at = {place(p): p for p in files}
    passed = {}
    for module, path in at.items():
        for how, paths in uses(code(files[path])):
            for q in paths if how else []:
                passed[module + (q.split("::")[-1],)] = absolute(q if q.startswith(("crate", "self", "super"))
                                                                  else "self::" + q, module)

    def target(full, hops=0):
        if full in passed and hops < 8:
            return target(passed[full], hops + 1)
        while full and full not in at:
            full = full[:-1]
            if full in passed and hops < 8:
                return target(passed[full], hops + 1)
        return at.get(full)

    arrows = {}
    for module, path in at.items():
        wanted = [absolute(q, module) for _, ps in uses(code(files[path])) for q in ps
                  if q.startswith(("crate", "self", "super"))]
        arrows[path] = {t for full in wanted if (t := target(full)) and t != path and t.name not in ("mod.rs", "lib.rs")}
    sys.setrecursionlimit(10_000)
    order, low, stack, groups = {}, {}, [], []

    def visit(v):
        order[v] = low[v] = len(order)
        stack.append(v)
        for w in sorted(arrows[v]):
            if w not in order:
                visit(w)
            if w in stack:
                low[v] = min(low[v], low[w])
        if low[v] == order[v]:
            group = []
            while not group or group[-1] != v:
                group.append(stack.pop())
            groups.append(group)

    for v in arrows:
        if v not in order:
            visit(v)
    return [g for g in groups if len(g) > 1]


def figures(root):
    files = sources(root)
    library = {p: t for p, t in files.items() if p.parts[0] != "bin"}
    lines = sum(t.count("\n") for t in files.values())
    in_bin = sum(t.count("\n") for p, t in files.items() if p.parts[0] == "bin")
    fullest = max(sum(q.parent == f for q in files) for f in {p.parent for p in files})
    long = sorted((n for t in library.values() for n, _ in lengths(code(t))), reverse=True)
    items, modules, doubled = public(library)
    of_laws = sum(m[:1] == ("laws",) for m, *_ in items)
    decisions = r"\.(?:label|name)\s*==\s*\"|\.(?:label|name)\.(?:starts_with|contains|ends_with)\(\""
    by_text = sum(len(re.findall(decisions, "\n".join(counted(code(t))))) for t in library.values())
    examples = 0
    for text in library.values():
        inside = False
        for line in code(text):
            if fence := FENCE.match(line):
                examples += not inside and fence[1].strip() in ("", "rust")
                inside = not inside
    docs = sum(line.strip().startswith(("///", "//!")) for t in library.values() for line in code(t))
    bodies = sum(len(counted(code(t))) for t in library.values())
    functions = sum(len(re.findall(r"^\s*pub (?:const |unsafe )*fn ", "\n".join(code(t)), re.M)) for t in library.values())
    tests = len(list((root / "tests").glob("*.rs"))) + len(list((root / "tests").glob("*/main.rs")))
    rows = {
        "files of `src`; lines; of these the command line": (len(files), lines, in_bin),
        "files in the fullest folder": (fullest,),
        "longest library function; above 60 lines; above 40": (long[0], sum(n > 60 for n in long), sum(n > 40 for n in long)),
        "public items, those of `laws` apart; modules": (len(items) - of_laws, of_laws, len(modules)),
        "public type names with two meanings": (len(doubled),),
        "decisions by text": (by_text,),
        "circles of files": (len(circles(library)),),
        "examples that run; public functions; documentation to code": (examples, functions, f"{docs / bodies:.2f}"),
        "test binaries; examples to copy": (tests, len(list((root / "examples").glob("*.rs")))),
    }
    return {k: "; ".join(map(str, v)) for k, v in rows.items()}


def main():
    here = Path(__file__).resolve().parent.parent
    columns = {}
    for commit in sys.argv[1:]:
        packed = subprocess.run(["git", "archive", commit], cwd=here, check=True, capture_output=True).stdout
        with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            tar.extractall(folder, filter="data")
            columns[commit] = figures(Path(folder))
    columns["now"] = figures(here)
    print("| | " + " | ".join(columns) + " |")
    print("|---" * (1 + len(columns)) + "|")
    for row in columns["now"]:
        print(f"| {row} | " + " | ".join(c[row] for c in columns.values()) + " |")


if __name__ == "__main__":
    main()
