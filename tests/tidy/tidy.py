#!/usr/bin/python3
"""The law of STYLE.md and ARCHITECTURE.md, as far as a program can hold it.

    tests/tidy/tidy.py [ROOT]      exit 1 and one line for each breach
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else
                    pathlib.Path(__file__).resolve().parents[2])

# A room may include itself and what stands before it.
CORE = ["policies", "policies/explain", "state"]
LOW = ["policies", "policies/read", "policies/explain", "state",
       "controller/core", "controller/config"]
ROOMS = {
    "policies": [],
    "policies/read": ["policies"],
    "policies/explain": ["policies"],
    "state": ["policies", "policies/explain"],
    "controller/core": CORE,
    "controller/prometheus": [*CORE, "controller/core"],
    "controller/config": [*CORE, "policies/read", "controller/core"],
    "controller/runtime": LOW,
    "controller/sources": [*LOW, "controller/runtime", "controller/prometheus"],
    "controller/targets": [*LOW, "controller/runtime"],
    "controller/notices": [*LOW, "controller/runtime"],
    "controller/api": [*LOW, "controller/runtime"],
    "controller/replay": [*CORE, "policies/read", "controller/core", "controller/prometheus"],
    "controller/cases": [*CORE, "policies/read", "controller/core", "controller/replay"],
    "controller/cli": [*LOW, "controller/runtime", "controller/replay", "controller/cases",
                       "controller/prometheus"],
}
# controller/*.c joins the rooms; tests may look everywhere.

FILE_LINES, HEADER_LINES, LINE_BYTES = 600, 200, 80
CONTRACTS = {"policies/policy.h", "state/record.h", "controller/core/view.h",
             "controller/core/core.h", "controller/config/config.h"}
FUNCTION_LINES, CORE_FUNCTION_LINES = 60, 40
MODULES = 14  # of a folder, when it must split by a noun: tables name exceptions

FORBIDDEN = [
    ("controller/core", r"\b(malloc|calloc|realloc|strdup)\s*\(", "no heap after core_new", set()),
    ("controller/core", r"#include <(stdio|time|errno|locale|pthread|uv)\.h>", "the core is pure", {"describe.c", "sentence.c"}),
    ("policies", r"#include <(time|pthread|uv)\.h>", "judging reads no clock and has no threads", set()),
    ("", r"\b(clock_gettime|gettimeofday|time\(NULL\)|uv_hrtime|uv_now)\s*\(?", "clocks are read in clock.c only",
     {"clock.c", "store_thread.c"}),
    ("", r"(?<![.>\w])(exp|log|pow|sin|cos|tgamma|lgamma|erf)\s*\(", "libm functions differ between C libraries", set()),
    ("", r"\b(strcpy|strcat|sprintf|gets|strtok|atoi|atof|alloca|setlocale)\s*\(", "a bounded form exists", set()),
    ("", r"\bsystem\s*\(|\bpopen\s*\(", "no shell", set()),
    ("", r"\b(TODO|FIXME|XXX)\b", "an issue is the place for that", set()),
]

breaches = []


def breach(path, line, text):
    breaches.append(f"{path}:{line}: {text}")


def tracked():
    listing = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                             capture_output=True, text=True)
    if listing.returncode == 0:
        return [pathlib.Path(name) for name in listing.stdout.splitlines() if (ROOT / name).is_file()]
    return [path.relative_to(ROOT) for path in ROOT.rglob("*")
            if path.is_file() and not {"build", ".git", "node_modules"} & set(path.parts)]


def room_of(path):
    best = [room for room in ROOMS if str(path).startswith(room + "/")]
    return max(best, key=len) if best else None


def without_comments(text):
    """The same lines with comments and strings blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def check_includes(path, room, text):
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'#include "([^"]+)"', line)
        if not found or room is None:
            continue
        other = room_of(found.group(1))
        if other is None:
            breach(path, number, f"include by path from the root: {found.group(1)}")
        elif other != room and other not in ROOMS[room]:
            breach(path, number, f"{room} may not include {other}")


def check_sizes(path, room, text):
    lines = text.splitlines()
    limit = HEADER_LINES if path.suffix == ".h" else FILE_LINES
    if len(lines) > limit and str(path) not in CONTRACTS:
        breach(path, len(lines), f"{len(lines)} lines, at most {limit}")
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_BYTES and len(line.encode()) > LINE_BYTES and '"' not in line:
            breach(path, number, f"{len(line)} columns, at most {LINE_BYTES}")
    limit = CORE_FUNCTION_LINES if room == "controller/core" else FUNCTION_LINES
    begin = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begin = number
        elif line == "}" and begin:
            if number - begin - 1 > limit:
                breach(path, begin, f"a function of {number - begin - 1} lines, at most {limit}")
            begin = None


def check_words(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for folder, pattern, why, excepted in FORBIDDEN:
            if str(path).startswith(folder) and path.name not in excepted and re.search(pattern, line):
                breach(path, number, f"{why}: {line.strip()[:60]}")


def check_switch_default(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*default\s*:", line) and str(path).startswith("controller/core"):
            breach(path, number, "a switch over an enum names every case and has no default")


def check_anywhere(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.search(r"(^|[\s\"'=(])/work/|registry\.npmjs|deb\.debian\.org|files\.pythonhosted", line):
            breach(path, number, "a path of one machine or a registry's address")


def main():
    for path in tracked():
        if path.suffix in {".png", ".svg", ".db"} or path.parts[:2] == ("tests", "fuzz"):
            continue
        try:
            text = (ROOT / path).read_text()
        except UnicodeDecodeError:
            continue
        if path != pathlib.Path("tests/tidy/tidy.py"):
            check_anywhere(path, text)
        if path.suffix not in {".c", ".h"} or path.parts[0] not in {"policies", "state", "controller"}:
            continue
        room, code = room_of(path), without_comments(text)
        check_includes(path, room, text)
        check_sizes(path, room, text)
        check_words(path, code)
        check_switch_default(path, code)
    print("\n".join(sorted(breaches)) or "tidy: the house is in order")
    sys.exit(bool(breaches))


main()
