#!/usr/bin/python3
"""Every query of policies/library, asked of a real Prometheus: it parses, finds
one series, and that one has the value that the exporters' pages mean."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import urllib.request

import metrics

LASTGOOD, DUMP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
ROOT = pathlib.Path(__file__).resolve().parents[3]
LIBRARY = sorted(path for path in ROOT.glob("policies/library/*.yaml") if ".test." not in path.name)
PATIENCE = 60  # seconds until a test that waits gives up

CONFIG = """
listen: {http: "127.0.0.1:0"}
state: {sqlite: %(folder)s/lastgood.db}
policies: %(policies)s
sources: {prom: {prometheus: "%(url)s"}}
targets:
  deployer:
    http:
      live: {get: "http://127.0.0.1:1/version", version: /version}
      revert: {post: "http://127.0.0.1:1/deploy", json: {version: "{target}"}}
services:
  - {service: "shop", environment: production, target: deployer, source: prom}
  - {service: "*", environment: production, target: deployer, source: prom}
notices:
  oncall: {webhook: {url: "http://127.0.0.1:1/page"}}
  status-page: {webhook: {url: "http://127.0.0.1:1/status"}}
page: [oncall]
actions: {scale-pool: {post: "http://127.0.0.1:1/scale", json: {by: 2}, once_per: 1h}}
"""


class Prometheus:
    """One that remembers half an hour; close() ends it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lastgood-library-")
        self.now = int(time.time()) // metrics.EVERY * metrics.EVERY
        page = self.write("page.om", metrics.page_of_all(self.now - 1800, self.now + 600))
        data = os.path.join(self.folder, "data")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics", page, data],
                       check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + self.write("prometheus.yml", "global: {}\n"),
             "--storage.tsdb.path=" + data, f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        try:
            self.wait()
        except BaseException:
            self.close()
            raise

    def wait(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(self.url + "/-/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("prometheus never got ready")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def ask(self, query):
        """(labels, value) of each series."""
        form = urllib.parse.urlencode({"query": query, "time": self.now})
        with urllib.request.urlopen(self.url + "/api/v1/query", form.encode(), timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
        return [(one["metric"], float(one["value"][1])) for one in result]

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def selected(series, select, service):
    wanted = {label: {**metrics.RELEASE, "release.service": service}.get(value, value)
              for label, value in select.items()}
    return [value for labels, value in series if wanted.items() <= labels.items()]


class Library(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.prometheus = Prometheus()

    @classmethod
    def tearDownClass(cls):
        cls.prometheus.close()

    def check_online(self, policies):
        prometheus = self.prometheus
        config = prometheus.write("lastgood.yaml", CONFIG % {
            "folder": prometheus.folder, "policies": policies, "url": prometheus.url})
        return subprocess.run([LASTGOOD, "check", "--config", config, "--online"], capture_output=True, text=True,
                              timeout=PATIENCE, check=False)

    def test_every_policy_is_expected_here(self):
        self.assertEqual({path.stem for path in LIBRARY}, set(metrics.EXPECTED))

    def test_each_signal_is_one_series_of_the_right_value(self):
        for path in LIBRARY:
            dumped = subprocess.run([DUMP, path], capture_output=True, text=True, check=True).stdout
            policy = json.loads(dumped)
            service = policy.get("applies_to", {"service": "shop"})["service"]
            fetched = {name: signal for name, signal in policy["signals"].items() if "prometheus" in signal}
            self.assertEqual(set(fetched), set(metrics.EXPECTED[path.stem]), path.name)
            for name, signal in fetched.items():
                with self.subTest(policy=path.stem, signal=name):
                    values = selected(self.prometheus.ask(signal["prometheus"]), signal["select"], service)
                    self.assertEqual(len(values), 1, values)
                    wanted = metrics.EXPECTED[path.stem][name]
                    self.assertAlmostEqual(values[0], wanted, delta=wanted / 100 + 15 * (name == "oldest"))

    def test_the_whole_folder_passes_online(self):
        done = self.check_online(ROOT / "policies/library")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stderr, "")

    def test_a_query_that_does_not_parse_fails(self):
        folder = os.path.join(self.prometheus.folder, "broken")
        os.mkdir(folder)
        text = (ROOT / "policies/library/errors-only.yaml").read_text()
        good = "sum by (service) (rate(http_requests_total[1m]))"
        self.assertIn(good, text)
        self.prometheus.write("broken/errors-only.yaml", text.replace(good, good[:-1]))
        done = self.check_online(folder)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("parse error", done.stderr)


if __name__ == "__main__":
    unittest.main()
