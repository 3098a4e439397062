#!/usr/bin/python3
"""What people read, held by files.

    tests/golden/golden.py LASTGOOD [--update]

policies/NAME.yaml   is checked,             and NAME.txt is what is printed
configs/NAME.yaml    is a configuration that is checked
cases/NAME.test.yaml is tested

With --update the NAME.txt are written anew: read the difference.  At the end
every message that the sources can print must stand in one of these files, or
in a test of tests/unit: a message that nobody has read helps nobody.
"""
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
KINDS = {"policies": ["check"], "configs": ["check", "--config"], "cases": ["test"]}


def printed(binary, folder, path):
    run = subprocess.run([binary, *KINDS[folder], path.name], cwd=path.parent,
                         capture_output=True, text=True, timeout=60,
                         env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1"})
    return f"{run.stdout}{run.stderr}exit {run.returncode}\n"


def hold(binary, update):
    failed = 0
    for folder in KINDS:
        for path in sorted((HERE / folder).iterdir()):
            name = path.name.removesuffix(".test.yaml").removesuffix(".yaml").removesuffix(".json")
            expected = path.with_name(name + ".txt")
            if path.suffix not in {".yaml", ".json"}:
                continue
            if folder == "cases" and not path.name.endswith(".test.yaml"):
                continue
            said = printed(binary, folder, path)
            if update:
                expected.write_text(said)
            elif not expected.exists() or expected.read_text() != said:
                failed += 1
                wanted = expected.read_text() if expected.exists() else "(no such file)\n"
                print(f"--- {path.relative_to(ROOT)}: expected\n{wanted}--- printed\n{said}---")
    return failed


# --- Every message -----------------------------------------------------------

SOURCES = ["policies/read", "controller/config", "controller/cases"]
CALLS = (r"\b(?:problems_error|problems_warning|yaml_error|yaml_warning|yaml_key_error|compiler_error|"
         r"refuse|refuse_token|bad_token|complain|complain_of_kind|refuse_argument|template_error|refuse_beside)\s*\(")
TABLES = {"lexer.c": "strangers", "yaml_events.c": "translations"}
STRING = r'"(?:\\.|[^"\\\n])*"'


ESCAPES = {"n": "\n", "t": "\t", "0": "\0"}


def unescape(literal):
    """What C makes of the inside of a literal, as text."""
    def one(match):
        word = match.group(1)
        return chr(int(word[1:], 16)) if word[0] == "x" else ESCAPES.get(word, word)
    text = re.sub(r"\\(x[0-9a-fA-F]{1,2}|.)", one, literal)
    try:
        return text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return text


def literals(text):
    """The string literals of C text, neighbours joined."""
    for match in re.finditer(rf"{STRING}(?:\s*(?:PRI\w+\s*)?{STRING})*", text):
        joined = "".join(part[1:-1] for part in re.findall(STRING, match.group()))
        yield unescape(joined)


def call_text(text, start):
    """The arguments of the call whose '(' is before @start."""
    depth, at, quoted = 1, start, False
    while depth and at < len(text):
        char = text[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "(") - (char == ")")
        at += 1
    return text[start:at - 1]


def messages():
    for folder in SOURCES:
        for path in sorted((ROOT / folder).glob("*.c")):
            text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
            for match in re.finditer(CALLS, text):
                for literal in literals(call_text(text, match.end())):
                    if " " in literal.strip() and literal != "%s":
                        yield path.name, literal
            table = TABLES.get(path.name)
            if table:
                body = text[text.index(f"{table}[]"):]
                for entry in re.findall(rf'\{{(?:[^{{}}"]|{STRING})*\}}', body[:body.index("};\n")].split("{", 1)[1]):
                    found = list(literals(entry))
                    if found:
                        yield path.name, found[-1 if path.name != "lexer.c" else 1]


def pattern(message):
    parts = re.split(r"%(?:[-+ 0-9.*]*)(?:ll|z|h)?[a-zA-Z]", message.replace("%%", "\0"))
    return ".*?".join(re.escape(part.replace("\0", "%")) for part in parts)


def read_messages():
    """All that tests hold: golden files, and the literals of the C tests."""
    texts = [path.read_text() for path in HERE.rglob("*.txt")]
    for path in (ROOT / "tests/unit").rglob("*.c"):
        texts += literals(path.read_text())
    return "\n".join(texts)


def main():
    update = "--update" in sys.argv
    failed = hold(pathlib.Path(sys.argv[1]).resolve(), update)
    read = read_messages()
    missing = sorted({(name, message) for name, message in messages()
                      if not re.search(pattern(message), read)})
    for name, message in missing:
        print(f"{name}: no test holds this message: {message}")
    print(f"golden: {failed} files differ, {len(missing)} messages are not held")
    sys.exit(bool(failed or missing))


if __name__ == "__main__":
    main()
