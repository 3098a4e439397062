#!/usr/bin/python3
"""kill -9 at random moments, very often: the real daemon, its SQLite file, a
deployment API and a metrics source in a process that survives.

    kills.py BINARY [--kills 24] [--worlds 2] [--seed 1] [--disk libdisk.so]

In each world bad versions go live again and again.  The daemon is killed at a
random moment, mostly between the breach and the proof of recovery, sometimes
again while it recovers, and started anew; in every second world the disk is
slow, so that much is decided and not yet durable.  Every bad version must be reverted
by exactly one effective post, under one key, and be recovered from.  A client
registers all the time; what was acknowledged to it must be in the journal.
At the end `verify` must be content.  Exits 0 and prints its figures.
"""
import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

PEERS = pathlib.Path(__file__).resolve().parents[2] / "peers"
sys.path.insert(0, str(PEERS))

from serving import PATIENCE, SANITIZER, Process, fetch, free_port, until

BAD = ("shop", "cart", "search")      # go bad together, each on its own
AGE = 40                              # rounds, then others do: a day's
                                      # rollbacks of one service are bounded
FINE = ("till", "news")               # registered all the time
PACE = 0.1                            # seconds between their registrations
MOMENTS = ("verdict", "incident.opened", "rollback.proposed",
           "rollback.intended", "rollback.requested", "rollback.in_progress",
           "rollback.applied", "rollback.verifying", "rollback.recovered")
PROMISE = "an acknowledgement"        # of the client's: the moment after it

CONFIG = """\
listen: {{http: "127.0.0.1:{port}"}}
state: {{sqlite: {folder}/lastgood.db}}
policies: {folder}/policies
interlocks: {{per_service: 100 in 1m, fleet: 1000 in 1m,
             shared_cause: 100 services and 100% in 1m}}
sources: {{prom: {{prometheus: "{metrics}", lag: 50ms, timeout: 2s}}}}
targets:
  deployer:
    http:
      live: {{get: "{deployer}/{{service}}/version", version: /version,
             complete: /ready}}
      has: {{get: "{deployer}/{{service}}/versions/{{target}}"}}
      revert: {{post: "{deployer}/{{service}}/deploy",
               json: {{version: "{{target}}", expected_version: "{{suspect}}"}},
               ok: [200, 202], raced: [409],
               idempotency_header: Idempotency-Key, timeout: 2s}}
    deadline: 60s
services: [{{service: "*", environment: production, target: deployer, source: prom}}]
"""
POLICY = """\
policy: errors
mode: auto
watch: {for: 1h, every: 1s, settle: 0s}
baseline: 10s
verify: {within: 2m, for: 3s}
signals:
  errors:
    prometheus: sum by (service) (errors)
    select: {service: release.service}
    unit: count
tree:
  question: Are there errors?
  if: errors > 5
  then: {rollback: last_good, freeze: 1m}
  else: healthy
"""


class Daemon(Process):
    """It may die of a line of its log, or shortly after."""

    def __init__(self, world):
        self.fatal, self.delay, self.moments = None, 0, []
        super().__init__([world.binary, "serve", "--log", "json", "--config",
                          world.folder / "lastgood.yaml"], None, {
                              "LD_PRELOAD": str(world.disk),
                              "DISK_ORDERS": str(world.folder / "disk"),
                              "ASAN_OPTIONS": "verify_asan_link_order=0"})

    def hear(self, line):
        super().hear(line)
        if line.startswith("{"):
            event = json.loads(line)["event"]
            if event in MOMENTS:
                self.moments.append(event)
            if event == self.fatal:
                time.sleep(self.delay)
                self.process.kill()


class Client(threading.Thread):
    """Registers without an end; every answer of 2xx is a promise."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.promised, self.enough = world, {}, threading.Event()

    def run(self):
        number = 0
        while not self.enough.wait(PACE):
            service = FINE[number % len(FINE)]
            version = f"fine-{number}"
            self.world.deploy(service, version)
            status = 0
            while status != 200 and status != 201 and \
                    not self.enough.wait(PACE / 5):
                status, said = self.world.register(service, version)
            if status in (200, 201):
                if self.world.daemon.fatal == PROMISE:
                    self.world.daemon.process.kill()
                self.promised[int(said["release"])] = version
            number += 1


class World:
    def __init__(self, options, number):
        self.binary, self.disk = options.binary, options.disk
        self.random = random.Random(f"{options.seed}.{number}")
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lastgood-kills-"))
        self.site = subprocess.Popen(
            [sys.executable, "-B", PEERS / "alone.py"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True)
        self.deployer, metrics = self.site.stdout.readline().split()
        self.port, self.kills, self.rounds = free_port(), 0, 0
        self.killed_after = collections.Counter()
        self.recovery = []  # seconds from start to ready
        (self.folder / "policies").mkdir()
        (self.folder / "policies" / "errors.yaml").write_text(POLICY)
        if number % 2 == 1:
            (self.folder / "disk").write_text("slow 30")
        (self.folder / "lastgood.yaml").write_text(CONFIG.format(
            port=self.port, folder=self.folder, deployer=self.deployer,
            metrics=metrics))

    def close(self):
        if self.daemon.is_running():
            self.daemon.kill()
        self.site.stdin.close()
        self.site.wait(PATIENCE)

    # What is done to it.

    def ask(self, path, body=None, **headers):
        status, text = fetch(f"http://127.0.0.1:{self.port}" + path, body and
                             json.dumps(body).encode(), {
                                 "Content-Type": "application/json",
                                 **headers}, 10)
        return status, json.loads(text) if text.startswith("{") else text

    def told(self):
        return json.loads(fetch(self.deployer + "/told")[1])

    def deploy(self, service, version):
        fetch(self.deployer + "/deploy", json.dumps(
            {"service": service, "version": version}).encode())

    def register(self, service, version):
        return self.ask("/v1/releases", {
            "service": service, "environment": "production",
            "version": version, "data_change": "none"},
            **{"Idempotency-Key": f"{service}-{version}"})

    def start(self):
        began = time.monotonic()
        self.daemon = Daemon(self)
        until("ready", lambda: not self.daemon.is_running() or
              self.ask("/healthz")[0] == 200)
        self.recovery.append(time.monotonic() - began)

    def prepare(self):
        for service in FINE:
            self.deploy(service, "good")
        self.start()

    def renew(self):
        """Others go bad from now on."""
        self.bad = [f"{service}-{self.rounds}" for service in BAD]
        for service in self.bad:
            self.deploy(service, "good")
            status, said = self.ask("/v1/adoptions", {
                "service": service, "environment": "production",
                "version": "good", "reason": "it ran for a month"},
                **{"Idempotency-Key": f"adopt-{service}"})
            assert status in (200, 201), said

    # A round.

    def arm(self):
        """When the next kill comes: at a line of the log, at a promise, or
        after a time."""
        if self.random.random() < 0.6:
            self.daemon.delay = self.random.choice((0, 0.02)) * \
                self.random.random()
            self.daemon.fatal = self.random.choice(MOMENTS + (PROMISE,))
            return PATIENCE
        return self.random.random() * 5

    def await_death(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.daemon.is_running():
            time.sleep(0.005)
        self.daemon.kill()
        last = self.daemon.moments[-1:] or ["nothing of a rollback"]
        self.killed_after[last[0]] += 1
        self.kills += 1
        assert not SANITIZER.search(self.daemon.said()), self.daemon.said()

    def round(self):
        if self.rounds % AGE == 0:
            self.renew()
        self.rounds += 1
        bad = f"bad-{self.rounds}"
        seconds = self.arm()
        threads = [threading.Thread(target=self.go_bad, args=(service, bad))
                   for service in self.bad]
        for thread in threads:
            thread.start()
        self.await_death(seconds)
        while self.random.random() < 0.3:
            # Again, perhaps before it is ready.
            self.daemon = Daemon(self)
            self.await_death(self.random.random() * 1.5)
        self.start()
        for thread in threads:
            thread.join()
        for service in self.bad:
            until(f"{service}'s recovery from {bad}",
                  lambda service=service: self.has_recovered(service, bad))
        self.check(bad)

    def go_bad(self, service, version):
        self.deploy(service, version)
        until("an acknowledgement",
              lambda: self.register(service, version)[0] in (200, 201))

    def has_recovered(self, service, version):
        status, said = self.ask(f"/v1/releases?service={service}")
        for release in said["releases"] if status == 200 else []:
            if release["version"] == version:
                status, said = self.ask(f"/v1/releases/{release['id']}")
                return status == 200 and said["rollback"] and \
                    said["rollback"]["state"] == "recovered"
        return False

    def check(self, bad):
        told = self.told()
        for service in self.bad:
            mine = [[post for post in told[what]
                     if post["service"] == service and
                     post["expected_version"] == bad]
                    for what in ("effective", "posts")]
            assert len(mine[0]) == 1, (service, bad, mine)
            assert len({post["key"] for post in mine[1]}) == 1, mine[1]
            assert told["live"][service] == "good", told["live"]

    # The end.

    def finish(self, client):
        """Nothing more may come; what is there must be whole."""
        client.enough.set()
        client.join()
        code = self.daemon.terminate()
        assert code == 0, self.daemon.said()
        assert not SANITIZER.search(self.daemon.said()), self.daemon.said()
        path = self.folder / "lastgood.db"
        done = subprocess.run([self.binary, "verify", path], text=True,
                              capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        told = self.told()
        assert len(told["effective"]) == self.rounds * len(BAD), told
        with sqlite3.connect(path) as database:
            versions = dict(database.execute(
                "SELECT sequence, json_extract(payload, '$.version') "
                "FROM journal WHERE json_extract(payload, '$.kind') = "
                "'registered'"))
            self.records = database.execute(
                "SELECT max(sequence) FROM journal").fetchone()[0]
        for number, version in client.promised.items():
            assert versions.get(number) == version, \
                f"release {number} ({version}) was acknowledged and is lost"

    def play(self, kills):
        self.prepare()
        client = Client(self)
        client.start()
        while self.kills < kills:
            self.round()
        self.finish(client)
        self.promised = len(client.promised)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary", type=os.path.abspath)
    parser.add_argument("--disk", type=os.path.abspath)
    parser.add_argument("--kills", type=int, default=24)
    parser.add_argument("--worlds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.disk is None:
        options.disk = pathlib.Path(options.binary).parent / \
            "tests/system/daemon/libdisk.so"
    worlds = [World(options, number) for number in range(options.worlds)]
    failures = []

    def play(world):
        try:
            world.play(-(-options.kills // options.worlds))
        except Exception as error:  # every failure fails the whole
            failures.append(error)
            world.close()
            print(f"seed {options.seed}: after {world.kills} kills in "
                  f"{world.rounds} rounds: {error!r}\n"
                  f"the world is kept in {world.folder}; its daemon said:\n" +
                  "\n".join(world.daemon.lines[-30:]), flush=True)

    began = time.monotonic()
    threads = [threading.Thread(target=play, args=(world,))
               for world in worlds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(1)
    after = sum((world.killed_after for world in worlds),
                collections.Counter())
    slowest = max(max(world.recovery) for world in worlds)
    print(f"{sum(world.kills for world in worlds)} kills, "
          f"{sum(world.rounds for world in worlds) * len(BAD)} rollbacks, "
          f"one effective revert each; "
          f"{sum(world.promised for world in worlds)} acknowledged "
          f"registrations, all there; "
          f"{sum(world.records for world in worlds)} records verified; "
          f"slowest start {slowest:.2f} s; "
          f"{time.monotonic() - began:.0f} s")
    for moment, count in after.most_common():
        print(f"{count:6} killed after {moment}")
    for world in worlds:
        world.close()
        shutil.rmtree(world.folder)


if __name__ == "__main__":
    main()
