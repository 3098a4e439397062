#!/usr/bin/python3
"""Files that mean harm, or are broken past reading: each is refused with one
clear line at its place, exit code 1, and little memory."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import typing
import unittest

LASTGOOD = os.path.abspath(sys.argv.pop(1))
PATIENCE = 120  # seconds until a run that never ends is given up
KIB, MIB = 1024, 1024 * 1024
ROWS = 10_000_000
BEGIN = 1726665300

POLICY = """policy: p
mode: observe
signals:
  bad: {prometheus: b, unit: ratio}
  odd: {prometheus: o, unit: ratio}
tree: {question: q, if: bad > 5% for 2m or odd > 5% for 2m, then: {page: x}, else: healthy}
"""

LAUGHS = b"a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + b"".join(
    b"%c: &%c [%s]\n" % (now, now, b", ".join([b"*%c" % before] * 9))
    for before, now in zip(b"abcdefgh", b"bcdefghi"))

# What a YAML file may hold that is none, and what is said about it.
POISON = {
    "laughs": (LAUGHS, ":1:4: error: anchors ('&') are not read here"),
    "merge": (b"<<: {policy: p}\n", ":1:1: error: merges ('<<') are not read here"),
    "brackets": (b"[" * 64 * KIB, ": error: "),
    "pairs of brackets": (b"[" * 32 * KIB + b"]" * 32 * KIB, ": error: "),
    "braces": (b"{a: " * 16 * KIB, ": error: "),
    "lists": (b"- " * 32 * KIB, ": error: "),
    "an expression of brackets": (
        POLICY.encode().replace(b"bad > 5% for 2m or odd > 5% for 2m", b"'" + b"(" * 60 * KIB + b"'"),
        ":6:26: error: 61440 bytes are too long for an expression"),
    "a name without end": (POLICY.encode().replace(b": p", b": " + b"a" * 60 * KIB), ":1:9: error: "),
    "many keys": (b"".join(b"k%d: 1\n" % i for i in range(6000)), ":4096:8: error: the file has more than 4096 values"),
    "too large": (b"#" * (64 * KIB + 1), ": error: "),
    "nul": (POLICY.encode().replace(b"mode", b"mo\0de"), ":2:3: error: U+0000 is a NUL byte"),
    "not utf-8": (POLICY.encode().replace(b"{page: x}", b"{page: \xff}"), ":6:74: error: byte 0xff is not valid UTF-8"),
    "half a letter": (b"policy: \xc3", ":1:9: error: byte 0xc3 is not valid UTF-8"),
    "a surrogate": (b"policy: \xed\xa0\x80", ":1:9: error: byte 0xed is not valid UTF-8"),
    "utf-16": (POLICY.encode("utf-16"), ":1:1: error: this is UTF-16; save it as UTF-8"),
    "escapes": (b'policy: "\x1b[2J"', ":1:10: error: U+001B is a control character"),
    "nothing": (b"", ": error: the file is empty"),
    "no end of line": (b"\xef\xbb\xbf", ": error: the file is empty"),
}


class Run(typing.NamedTuple):
    returncode: int
    stdout: str
    stderr: str
    memory: int


class Bad(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="lastgood-bad-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def run_it(self, *words):
        """The run, its outputs as texts, and what it needed of memory."""
        with open(self.folder / "out", "w+b") as out, open(self.folder / "err", "w+b") as err:
            process = subprocess.Popen([LASTGOOD, *map(str, words)], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
            timer = threading.Timer(PATIENCE, process.kill)
            timer.start()
            _, status, usage = os.wait4(process.pid, 0)
            timer.cancel()
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            return Run(process.returncode, out.read().decode(), err.read().decode(), usage.ru_maxrss * KIB)

    def refused(self, said, *words):
        """One error, at its place, in clean text."""
        done = self.run_it(*words)
        self.assertEqual(done.returncode, 1, done.stderr[:2000])
        errors = [line for line in done.stderr.splitlines() if ": error: " in line]
        self.assertTrue(errors, done.stderr[:2000])
        self.assertIn(said, errors[0])
        self.assertNotIn("\x1b", done.stderr)
        self.assertLess(len(done.stderr), 32 * KIB)
        self.assertNotIn("Sanitizer", done.stderr)
        return done


class Texts(Bad):
    """In every place that reads YAML or JSON."""

    def test_a_policy(self):
        for name, (content, said) in POISON.items():
            for file in ("p.yaml", "p.json"):
                with self.subTest(name, file=file):
                    path = self.write(file, content)
                    done = self.refused(said if file == "p.yaml" else ": error: ", "check", path)
                    self.assertLess(done.memory, 256 * MIB)

    def test_a_configuration(self):
        for name, (content, _) in POISON.items():
            with self.subTest(name):
                self.refused(": error: ", "check", "--config", self.write("lastgood.yaml", content))

    def test_a_test_file(self):
        self.write("p.yaml", POLICY)
        for name, (content, _) in POISON.items():
            with self.subTest(name):
                done = self.run_it("test", self.write("p.test.yaml", content))
                self.assertEqual(done.returncode, 1, name)
                self.assertNotIn("Sanitizer", done.stderr)
                self.assertNotIn("\x1b", done.stdout)

    def test_a_release(self):
        policy = self.write("p.yaml", POLICY)
        samples = self.write("s.csv", f"time,bad,odd\n{BEGIN},0,0\n")
        for name, content in (("brackets", b"[" * 60 * KIB), ("nul", b'{"version": "1\0"}'), ("not utf-8", b'{"version": "\xff"}'),
                              ("two of one name", b'{"version": "1", "version": "2"}'), ("nothing", b""),
                              ("no number", b'{"version": 1e999}')):
            with self.subTest(name):
                self.refused(": error: ", "replay", policy, "--samples", samples, "--release", self.write("r.json", content))


class Tables(Bad):
    def replay(self, said, content):
        policy = self.write("p.yaml", POLICY)
        return self.refused(said, "replay", policy, "--samples", self.write("s.csv", content))

    def test_ten_million_rows(self):
        policy, path = self.write("p.yaml", POLICY), self.folder / "s.csv"
        with open(path, "wb") as file:
            file.write(b"time,bad,odd\n")
            for begin in range(BEGIN, BEGIN + ROWS, ROWS // 10):
                file.write(b"".join(b"%d,0,0\n" % at for at in range(begin, begin + ROWS // 10)))
        done = self.refused(":4000002:1: error: the table is too large (4000000 rows", "replay", policy, "--samples", path)
        self.assertLess(done.memory, 1024 * MIB)
        self.assertEqual(done.stderr.count(": error: "), 1, done.stderr)

    def test_a_file_without_end(self):
        policy, path = self.write("p.yaml", POLICY), self.folder / "s.csv"
        with open(path, "wb") as file:
            file.truncate(1 << 40)
        self.refused(": error: ", "replay", policy, "--samples", path)

    def test_ragged_rows(self):
        self.replay(":3:5: error: this row has fewer than 3 cells", "time,bad,odd\n100,0,0\n115,0\n")
        self.replay(":2:7: error: this row has more than 3 cells", "time,bad,odd\n100,0,0,0\n")

    def test_time_that_goes_back(self):
        self.replay(":3:1: error: ", "time,bad,odd\n115,0,0\n100,0,0\n")
        self.replay(":3:1: error: ", "time,bad,odd\n100,0,0\n100,0,0\n")

    def test_times_that_are_none(self):
        for at in ("nan", "inf", "1e999", "-5", "99999999999999999999", "2024-13-01T00:00:00Z"):
            with self.subTest(at):
                self.replay(":2:1: error: ", f"time,bad,odd\n{at},0,0\n")

    def test_two_columns_of_one_name(self):
        self.replay(":1:10: error: the column 'bad' stands twice", "time,bad,bad\n100,0,0\n")

    def test_nul_and_bad_utf_8(self):
        self.replay(":2:5: error: a cell is longer than 256 bytes or holds a NUL", b"time,bad,odd\n100,0\0,0\n")
        self.replay(":2:5: error: '\\xff' is not a number", b"time,bad,odd\n100,\xff,0\n")

    def test_numbers_beyond_all_numbers(self):
        """They are unknowns of a name, not errors, and never guilt."""
        policy = self.write("p.yaml", POLICY)
        for word, unknown in (("nan", "nan"), ("NaN", "nan"), ("inf", "infinite"), ("-inf", "infinite"), ("1e999", "infinite"),
                              ("-1e999", "infinite")):
            with self.subTest(word):
                rows = "".join(f"{BEGIN + 15 * i},{word},0\n" for i in range(41))
                done = self.run_it("replay", policy, "--samples", self.write("s.csv", "time,bad,odd\n" + rows), "--format", "json")
                self.assertEqual(done.returncode, 0, done.stderr)
                answer = json.loads(done.stdout)
                self.assertEqual((answer["final"], answer["first_action_at"]), ("wait", None))
                self.assertIn(unknown, json.dumps(answer["decisions"]))
        rows = "".join(f"{BEGIN + 15 * i},1e-999,0\n" for i in range(41))
        done = self.run_it("replay", policy, "--samples", self.write("s.csv", "time,bad,odd\n" + rows), "--format", "json")
        self.assertEqual(json.loads(done.stdout)["final"], "healthy")


if __name__ == "__main__":
    unittest.main()
