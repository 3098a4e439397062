"""A made-up day in a real Prometheus, and the command that looks back on it.

Python's standard library, and the package prometheus (with promtool).
"""

import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

BINARY = os.path.abspath(sys.argv.pop(1))
HERE = os.path.dirname(os.path.abspath(__file__))
POLICY = os.path.join(HERE, "shop.yaml")
PATIENCE = 60  # seconds until a test that waits gives up

DAY = 1736035200  # 2025-01-05T00:00:00Z
HOUR, EVERY = 3600, 15
SERVICES = ("shop", "cart")  # the other one does what it likes


def moment(at):
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc) \
        .strftime("%Y-%m-%dT%H:%M:%SZ")


def released(version, hour, **more):
    return {"service": "shop", "environment": "production", "version": version,
            "previous": "1.0.0", "data_change": "none",
            "deployed_at": moment(DAY + hour * HOUR), **more}


LEAK = DAY + 9 * HOUR
SPIKE = DAY + 15 * HOUR + 20 * 60
RELEASES = [
    released("1.1.0", 4, incident=False),
    released("1.2.0", 9, incident=True, began=moment(LEAK)),
    released("1.3.0", 15, incident=True, began=SPIKE),
]


def pool(at):
    """Leaks from 09:00 on, and is empty again after a restart at 12:00."""
    return 40 + (150 * (at - LEAK) / (2 * HOUR) if LEAK <= at < LEAK + 2 * HOUR
                 else 150 if LEAK <= at < DAY + 12 * HOUR else 0)


def failing(at):
    """The share of requests that fail."""
    return 0.2 if SPIKE <= at < SPIKE + HOUR else 0.001


def openmetrics(lines):
    """The day, a scrape each 15 s; counters count what goes by."""
    times = range(DAY, DAY + 20 * HOUR, EVERY)
    for name, code in (("shop", "200"), ("shop", "500"),
                       ("cart", "200"), ("cart", "500")):
        if code == "200" and name == "shop":
            lines.append("# TYPE http_requests counter")
        total = 0.0
        for at in times:
            share = failing(at) if name == "shop" else 0.9
            total += 100 * EVERY * (share if code == "500" else 1 - share)
            lines.append('http_requests_total{service="%s",code="%s"} %.3f %d'
                         % (name, code, total, at))
    for gauge, value in (("pool_in_use", pool), ("pool_size", lambda at: 200)):
        lines.append("# TYPE %s gauge" % gauge)
        for name in SERVICES:
            for at in times:
                lines.append('%s{service="%s"} %.3f %d'
                             % (gauge, name, value(at), at))
    lines.append("# TYPE twice gauge")
    for instance in ("a", "b"):
        for at in times:
            lines.append('twice{service="shop",instance="%s"} 1 %d'
                         % (instance, at))
    lines.append("# EOF\n")
    return "\n".join(lines)


class Day:
    """The Prometheus; close() ends it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lastgood-backtest-")
        metrics = self.write("day.om", openmetrics([]))
        data = os.path.join(self.folder, "data")
        subprocess.run(["promtool", "tsdb", "create-blocks-from", "openmetrics",
                        metrics, data], check=True, stdout=subprocess.DEVNULL)
        config = self.write("prometheus.yml", "global: {}\n")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % port
        self.process = subprocess.Popen(
            ["prometheus", "--config.file=" + config,
             "--storage.tsdb.path=" + data,
             "--storage.tsdb.retention.time=100y",
             "--web.listen-address=127.0.0.1:%d" % port, "--log.level=error"])
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

    def range(self, query, start, end):
        """{time: value} of the only series of an answer."""
        form = urllib.parse.urlencode({"query": query, "start": start,
                                       "end": end, "step": EVERY})
        with urllib.request.urlopen(self.url + "/api/v1/query_range",
                                    form.encode(), timeout=30) as answer:
            result = json.load(answer)["data"]["result"]
        assert len(result) <= 1, query
        return dict(result[0]["values"]) if result else {}

    def close(self):
        self.process.terminate()
        self.process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)


def lastgood(*words):
    return subprocess.run([BINARY, *words], capture_output=True, text=True,
                          timeout=PATIENCE, check=False)


def backtest(url, releases, *more, policy=POLICY, begin=DAY,
             end=DAY + 20 * HOUR):
    return lastgood("backtest", policy, "--prometheus", url, "--from",
                    moment(begin), "--to", moment(end), "--releases", releases,
                    *more)
