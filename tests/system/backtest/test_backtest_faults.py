#!/usr/bin/python3
"""Everything that can be wrong with the call, the files and the server."""

import http.server
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import world
from world import DAY, EVERY, HOUR, POLICY, RELEASES

FALSE = {"status": "error", "errorType": "execution",
         "error": "it\x1b[31mbroke\nhere"}


def matrix(*series):
    return {"status": "success", "data": {"resultType": "matrix",
                                          "result": list(series)}}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the test says: (status, document or bytes), or a call."""

    def log_message(self, *arguments):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        form = urllib.parse.parse_qs(self.rfile.read(length).decode())
        asked = {name: values[0] for name, values in form.items()}
        self.server.asked.append((self.path, asked))
        answer = self.server.says
        status, body = answer(asked) if callable(answer) else answer
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # it had enough


class Server:
    def __init__(self):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.asked, self.http.says = [], (200, matrix())
        self.url = "http://127.0.0.1:%d" % self.http.server_port
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Faults(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.server = Server()
        self.addCleanup(self.server.close)
        self.releases = self.write("releases.json", json.dumps(RELEASES))

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def refused(self, done, pattern):
        """Exit 1, nothing printed, and one line that says it."""
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Alastgood backtest: [^\n]*" + pattern +
                         r"[^\n]*\n\Z")

    def run_says(self, says, *more):
        self.server.http.says = says
        return world.backtest(self.server.url, self.releases, *more)

    # --- The server ---

    def test_what_is_asked(self):
        done = self.run_says((200, matrix()))
        self.assertEqual(done.returncode, 0, done.stderr)
        path, asked = self.server.http.asked[2]
        self.assertEqual(path, "/api/v1/query_range")
        self.assertEqual(asked["query"],
                         '(pool_in_use\n) and on (service) label_replace('
                         'vector(1), "service", "shop", "", "")')
        self.assertEqual([asked["end"], asked["step"], asked["timeout"]],
                         ["%d.000" % (DAY + 7 * HOUR), "15.000", "30000ms"])
        self.assertLess(float(asked["start"]), DAY + 4 * HOUR)
        self.assertEqual(float(asked["start"]) % EVERY, 0)
        self.assertIn("pool_in_use: no data for any release", done.stderr)

    def test_errors_are_one_clear_line(self):
        for says, pattern in (
                ((500, FALSE), r"errors of shop 1\.1\.0: execution: "
                               r"it\\x1b\[31mbroke\\x0ahere"),
                ((200, FALSE), "execution: it"),
                ((502, b"<html>Bad gateway</html>"),
                 "answered 502, not in Prometheus' words; is that address a "
                 "Prometheus"),
                ((401, b""), "answered 401, not in Prometheus' words"),
                ((302, matrix()), "answered 302"),
                ((200, b"<html>hello</html>"),
                 r"answered what Prometheus would not \(byte 1: "),
                ((200, json.dumps(matrix()).encode()[:-3]), "would not"),
                ((200, {"status": "success", "warnings": ["partial"],
                        "data": matrix()["data"]}), "warning: partial"),
                ((200, {"status": "success", "data": {
                    "resultType": "vector", "result": []}}),
                 "a vector where a matrix is wanted"),
                ((200, matrix({"metric": {"service": "shop"},
                               "values": [[DAY, "many"]]})),
                 "a value is not a number"),
                ((200, b" " * (64 * 1024 * 1024 + 1)),
                 "more than 64 MiB")):
            with self.subTest(pattern=pattern):
                self.refused(self.run_says(says), pattern)

    def test_a_server_that_hangs(self):
        gone = threading.Event()
        self.addCleanup(gone.set)

        def hang(_):
            gone.wait(world.PATIENCE)
            return 200, matrix()
        self.refused(self.run_says(hang, "--timeout", "200ms"),
                     "did not answer within 200ms; give it longer with "
                     "--timeout")

    def test_a_server_that_is_not_there(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            url = "http://somebody:secret@127.0.0.1:%d/" % \
                free.getsockname()[1]
            done = world.backtest(url, self.releases)
        self.refused(done, "nobody answers at http://127.0.0.1:")
        self.assertNotIn("secret", done.stderr)

    def test_a_million_points_that_nobody_asked_for(self):
        points = [[DAY + i / 1000, "1"] for i in range(1000000)]
        body = json.dumps(matrix({"metric": {"service": "shop"},
                                  "values": points})).encode()
        self.releases = self.write("one.json", json.dumps(RELEASES[:1]))
        done = self.run_says((200, body))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.count("nothing; "), 1)

    def test_what_is_not_a_number_is_unknown(self):
        def says(asked):
            start, value = float(asked["start"]), "1"
            if "pool_in_use" in asked["query"]:
                value = "NaN"
            elif "pool_size" in asked["query"]:
                value = "+Inf"
            values = [[start + i * EVERY, value] for i in range(2000)]
            return 200, matrix({"metric": {"service": "shop"},
                                "values": values},
                               {"metric": {"service": "cart"},
                                "values": values})
        policy = self.write("nan.yaml", """
policy: nan
signals:
  pool_in_use: {prometheus: pool_in_use, select: {service: release.service}, unit: count}
  pool_size: {prometheus: pool_size, select: {service: release.service}, unit: count}
tree:
  question: Is it full?
  if: pool_in_use > 1
  then: healthy
  else: healthy
  unknown: {question: "Is it large?", if: pool_size > 1, then: healthy, else: healthy, unknown: {page: "nobody knows"}}
""")
        self.server.http.says = says
        done = world.backtest(self.server.url, self.releases, "--format",
                              "json", policy=policy)
        self.assertEqual(done.returncode, 0, done.stderr)
        for one in json.loads(done.stdout)["releases"]:
            self.assertEqual(one["did"], "page")

    # --- The call ---

    def test_words_that_are_missing_or_wrong(self):
        good = ["--prometheus", self.server.url, "--from", "2025-01-05T00:00:00Z",
                "--to", "2025-01-06T00:00:00Z", "--releases", self.releases]
        for change, pattern in (
                ({0: None, 1: None}, "--prometheus is needed"),
                ({1: "ftp://x"}, r"'ftp://x' is no Prometheus' address"),
                ({1: "http://"}, "is no Prometheus' address"),
                ({2: None, 3: None}, "--from is needed"),
                ({3: "yesterday\x07"}, r"'yesterday\\x07' is not a time"),
                ({4: None, 5: None}, "--to is needed"),
                ({5: "2025-01-05T00:00:00Z"}, "--from must be before --to"),
                ({7: "/nowhere.json"}, "")):
            words = [change.get(i, word) for i, word in enumerate(good)]
            done = world.lastgood("backtest", POLICY,
                                  *[word for word in words if word is not None])
            with self.subTest(pattern=pattern):
                if pattern:
                    self.refused(done, pattern)
                else:
                    self.assertEqual(done.returncode, 1)
                    self.assertIn("/nowhere.json", done.stderr)
        for more, pattern in ((["--database", "x.db"], "not both"),
                              (["--timeout", "0s"], "--timeout is a time"),
                              (["--format", "xml"], "text or json"),
                              (["--form", "xml", "--nosuch"], "")):
            done = world.lastgood("backtest", POLICY, *good, *more)
            self.refused(done, pattern)
        self.assertEqual(self.server.http.asked, [])

    def test_a_policy_that_is_none(self):
        policy = self.write("none.yaml", "policy: [\n")
        done = world.backtest(self.server.url, self.releases, policy=policy)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("none.yaml:", done.stderr)

    def test_files_of_releases_that_are_of_no_use(self):
        whole = RELEASES[0]
        without = {key: value for key, value in whole.items()
                   if key != "deployed_at"}
        for text, pattern in (
                ("", r"1:0: "), ("[", r"1:1: "), ("{}", "it must be a list"),
                ("[7]", "release 1: it is not an object"),
                ([whole, {**whole, "service": None}],
                 "release 2: 'service' is needed"),
                ([{**whole, "colour": "red"}], "release 1: .*colour"),
                ([without], "release 1: 'deployed_at' is needed"),
                ([{**whole, "incident": "yes"}], "'incident' is true or false"),
                ([{**whole, "began": DAY}], "'began' is of an incident"),
                ([{**whole, "incident": True, "began": "soon"}],
                 "'began' is not a time"),
                ([whole] * 10001, "more than 10000 releases"),
                ([], "no release to judge"),
                ([{**whole, "service": "cart"}], "no release to judge: .*does "
                                                 "not apply to 1"),
                ("[" * 100000, r"1:\d+: ")):
            path = self.write("bad.json", text if isinstance(text, str)
                              else json.dumps(text))
            with self.subTest(pattern=pattern):
                self.refused(world.backtest(self.server.url, path), pattern)

    def test_more_than_can_be_asked_for(self):
        many = [{**RELEASES[0], "deployed_at": DAY + 3 * i,
                 "environment": "production", "service": "shop%d" % i}
                for i in range(10000)]
        policy = self.write("many.yaml", open_text(POLICY).replace(
            "service: shop,", "service: shop*,").replace("for: 3h", "for: 30d"))
        path = self.write("many.json", json.dumps(many))
        done = world.backtest(self.server.url, path, policy=policy,
                              end=DAY + 100 * 24 * HOUR)
        self.refused(done, r"points would be asked for, at most 100000000 are")
        policy = self.write("long.yaml", open_text(POLICY).replace(
            "for: 3h, every: 15s", "for: 90d, every: 1s").replace(
                "mode: auto", "mode: auto\nbaseline: 5m"))
        done = world.backtest(self.server.url, self.releases, policy=policy,
                              end=DAY + 365 * 24 * HOUR)
        self.refused(done, r"shop 1\.3\.0 needs more than 4000000 grid times or "
                           r"16000000 values")
        self.assertEqual(self.server.http.asked, [])

    # --- The journal ---

    def test_a_journal_that_is_none(self):
        for path in ("/nowhere.db", self.write("text.db", "no database" * 99)):
            done = world.lastgood(
                "backtest", POLICY, "--prometheus", self.server.url, "--from",
                str(DAY), "--to", str(DAY + 1), "--database", path)
            self.refused(done, os.path.basename(path))

    def register(self, daemon, unix, at):
        """As soon as the daemon answers; nothing watches it, so exit 4."""
        done, end = None, time.monotonic() + world.PATIENCE
        while time.monotonic() < end and daemon.poll() is None:
            done = world.lastgood(
                "register", "shop", "1.1.0", "--environment", "production",
                "--deployed-at", str(at), "--label", "team=blue",
                "--previous", "1.0.0", "--server", "unix:" + unix)
            if "is 'lastgood serve' running" not in done.stderr:
                break
            time.sleep(0.05)
        self.assertEqual(done and done.returncode, 4, done)

    def test_releases_of_a_journal(self):
        at = int(time.time()) - 24 * HOUR
        store = os.path.join(self.folder, "lastgood.db")
        unix = os.path.join(self.folder, "socket")
        os.mkdir(os.path.join(self.folder, "policies"))
        config = self.write("lastgood.yaml", """
listen: {unix: %s}
state: {sqlite: %s}
policies: %s/policies
sources:
  prom: {prometheus: "%s"}
targets:
  deployer:
    http:
      live: {get: "%s/version", version: /version}
      revert: {post: "%s/deploy", json: {version: "{target}"}}
services: [{service: "*", environment: production, target: deployer, source: prom}]
""" % (unix, store, self.folder, *[self.server.url] * 3))
        with subprocess.Popen([world.BINARY, "serve", "--config", config],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as daemon:
            try:
                self.register(daemon, unix, at)
                done = world.lastgood(
                    "backtest", POLICY, "--prometheus", self.server.url,
                    "--from", str(at), "--to", str(at + 4 * HOUR),
                    "--database", store, "--format", "json")
            finally:
                daemon.terminate()
                daemon.wait(world.PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        said = json.loads(done.stdout)["releases"]
        self.assertEqual([(one["version"], one["deployed_at"], one["incident"])
                          for one in said],
                         [("1.1.0", world.moment(at), None)])


def open_text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
