"""A whole set-up for each story: daemon, Prometheus, exporter, deployment API
and pager, all on free ports of the loopback address, all ended by their pid.

A ctest is one file: its stories share one Prometheus and run side by side,
because they mostly wait.  Each has a `world`, which is a target of that
Prometheus, and so the same names of services may be used in every story.
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import unittest
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "peers"))

from peers import Deployer, Exporter, Pager
from serving import (PATIENCE, SANITIZER, Process, fetch, free_port,
                     until)

BINARY = os.path.abspath(sys.argv[1])
TOGETHER = 8             # stories at once
WORLDS = 24              # targets of a Prometheus
SECRET = b"the key of the hook"


# ---- Prometheus ------------------------------------------------------------

class Prometheus:
    def __init__(self, exporter, worlds=range(WORLDS)):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lastgood-prom-"))
        self.port, self.process = free_port(), None
        targets = "".join(f"""
      - targets: ["127.0.0.1:{exporter.port}"]
        labels: {{__metrics_path__: /world/{world}, world: "{world}"}}"""
                          for world in worlds)
        (self.folder / "prometheus.yml").write_text(f"""\
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: app
    static_configs:{targets}
""", encoding="utf-8")
        self.start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}",
                 "--log.level=warn"], stdout=log, stderr=log,
                start_new_session=True)
        until("Prometheus is ready",
              lambda: fetch(self.url + "/-/ready")[0] == 200)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, query):
        status, body = fetch(self.url + "/api/v1/query?" +
                             urllib.parse.urlencode({"query": query}))
        return json.loads(body)["data"]["result"] if status == 200 else []


class Stage:
    """What the stories of a file share."""

    exporter = prometheus = None
    next_world, lock = 0, threading.Lock()

    @classmethod
    def open(cls):
        cls.exporter = Exporter()
        cls.prometheus = Prometheus(cls.exporter)

    @classmethod
    def close(cls):
        cls.prometheus.stop()
        cls.exporter.stop()

    @classmethod
    def number(cls):
        """Of a new world: a target of the Prometheus that all share."""
        with cls.lock:
            cls.next_world += 1
            return cls.next_world - 1


# ---- the daemon ------------------------------------------------------------

class Daemon(Process):
    """`lastgood serve`, with the events of its log."""

    def __init__(self, world, prepare=None, environment=None):
        self.world, self.events = world, []
        super().__init__([BINARY, "serve", "--log", "json", "--config",
                          world.folder / "lastgood.yaml"], prepare,
                         environment)

    def hear(self, line):
        super().hear(line)
        if line.startswith("{"):
            event = json.loads(line)
            self.events.append(event)
            self.world.heard(event)

    def all(self, kind, **fields):
        return [event for event in list(self.events)
                if re.fullmatch(kind, event["event"]) and
                all(re.search(wanted, event.get(field, ""))
                    for field, wanted in fields.items())]

    def saw(self, kind, **fields):
        """Wait for an event of the log; fields are searched for patterns."""
        def ask():
            if self.process.poll() is not None:
                self.reader.join(PATIENCE)
                found = self.all(kind, **fields)
                if not found:
                    raise AssertionError(f"it ended before it said {kind} "
                                         f"{fields}:\n{self.said()}")
            return self.all(kind, **fields)
        try:
            return until(f"{kind} {fields}", ask)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()}") from None


# ---- the world -------------------------------------------------------------

CONFIG = """\
listen: {{http: "127.0.0.1:{port}", unix: {folder}/socket}}
state: {{sqlite: {folder}/state/lastgood.db}}
policies: {folder}/policies
interlocks: {interlocks}
sources:
  prom: {{prometheus: "{prometheus}", lag: 500ms, timeout: 2s,
         alive: 'up{{world="{world}"}}'}}
  page: {{scrape: "{{metrics_url}}", every: 1s}}
targets:
  deployer:
    http:
      live: {{get: "{{deploy_url}}/version", version: /version, complete: /ready}}
      has: {{get: "{{deploy_url}}/versions/{{target}}"}}
      revert: {{post: "{{deploy_url}}/deploy",
               json: {{version: "{{target}}", expected_version: "{{suspect}}"}},
               ok: [200, 202], raced: [409],
               idempotency_header: Idempotency-Key, timeout: {timeout}}}
    deadline: {deadline}
services:{services}
notices:
  oncall: {{webhook: {{url: "{pager}/page", secret_file: hook.key}}}}
page: [oncall]
"""

SERVICE = """
  - {{service: {service}, environment: production, target: deployer, source: {source}{ceiling},
     vars: {{deploy_url: "{deployer}/{service}", metrics_url: "{exporter}/world/{world}?service={service}"}}}}"""

POLICY = """\
policy: {name}
applies_to: {{service: {service}, environment: production}}
mode: {mode}
unsure: {unsure}
watch: {{for: {lasts}, every: 1s, settle: {settle}, provisional: {provisional}, needs: {{known: 50%}}}}
baseline: 10s
verify: {{within: {verify}, for: 3s}}
signals:
{signals}
  error_rate: {{is: errors / requests}}
  hurt: {{is: (error_rate > 5% and requests > 1/s) for 3s}}
tree:
  question: Are users hurt?
  if: hurt
  else: healthy
  then:
    question: Is it new with this release?
    if: surely(hurt) and not before(hurt, 5s)
    else: {{page: "{{{{service}}}} was already so before {{{{version}}}}", blame: none}}
    unknown: then
    then:
      question: Is going back safe for the data?
      if: release.rollback_safe
      then: {{rollback: last_good, freeze: 1h}}
      else: {{hold: "{{{{version}}}} changed data one way: roll forward"}}
      unknown: then
"""

PROMETHEUS_SIGNALS = """\
  errors:
    prometheus: sum by (service) (rate(http_requests_total{{world="{world}",code=~"5.."}}[3s]))
    select: {{service: release.service}}
    unit: per_second
    on_no_data: zero
  requests:
    prometheus: sum by (service) (rate(http_requests_total{{world="{world}"}}[3s]))
    select: {{service: release.service}}
    unit: per_second"""

PAGE_SIGNALS = """\
  errors_total: {scrape: 'http_requests_total{code=~"5.."}', unit: count, on_no_data: zero}
  requests_total: {scrape: 'http_requests_total', unit: count}
  errors: {is: "rate(errors_total, 3s)"}
  requests: {is: "rate(requests_total, 3s)"}"""


class World:
    def __init__(self, services=("shop",), **settings):
        self.number = settings.pop("number", None)
        if self.number is None:
            self.number = Stage.number()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lastgood-story-"))
        self.folder.chmod(0o711)
        (self.folder / "policies").mkdir()
        (self.folder / "state").mkdir()
        (self.folder / "hook.key").write_bytes(SECRET)
        self.daemons, self.hooks, self.bad = [], [], {}
        self.exporter = settings.pop("exporter", None) or Stage.exporter
        self.prometheus = settings.pop("prometheus", None) or Stage.prometheus
        self.deployer = settings.pop("deployer", None) or Deployer()
        self.pager = Pager(SECRET)
        self.port, self.services = free_port(), list(services)
        self.settings = {"interlocks": "{per_service: 1 in 30m, fleet: 3 in 10m}",
                         "timeout": "2s", "deadline": "20s", "source": "prom",
                         "ceiling": "", **settings}
        for service in services:
            self.deployer.deploy(service, "1.0")
            self.policy(service)
        self.configure()
        self.exporter.put(self.number, self.traffic, self.services)

    # What is so.

    def traffic(self, service):
        """A service's metrics: those of its live version when it is bad."""
        usual = {"requests": 50.0, "pool": 8}
        live = self.deployer.live.get(service)
        return {**usual, **self.bad.get((service, live), {})}

    def make_bad(self, service, version, **how):
        self.bad[service, version] = how or {"requests": 40.0, "errors": 10.0}

    def warm(self, *services):
        """Wait until Prometheus knows enough of the time before."""
        for service in services or self.services:
            query = 'count_over_time(http_requests_total{world="%d",service=' \
                    '"%s",code="200"}[20s]) >= 10' % (self.number, service)
            until(f"a past of {service}", lambda: self.prometheus.ask(query))

    # Files.

    def write(self, name, text):
        """At once, as an editor or a configuration management does."""
        path = self.folder / name
        new = path.with_name("." + path.name + ".new")
        new.write_text(text, encoding="utf-8")
        new.rename(path)
        return path

    def configure(self, **settings):
        self.settings.update(settings)
        services = "".join(SERVICE.format(
            service=service, deployer=self.deployer.url, world=self.number,
            exporter=self.exporter.url, source=self.settings["source"],
            ceiling=self.settings["ceiling"]) for service in self.services)
        self.write("lastgood.yaml", CONFIG.format(
            port=self.port, folder=self.folder, world=self.number,
            prometheus=self.prometheus.url, pager=self.pager.url,
            interlocks=self.settings["interlocks"], services=services,
            timeout=self.settings["timeout"],
            deadline=self.settings["deadline"]))

    def policy_text(self, service, **more):
        signals = PAGE_SIGNALS if self.settings["source"] == "page" else \
            PROMETHEUS_SIGNALS.format(world=self.number)
        return POLICY.format(**{
            "name": service, "service": service, "mode": "auto",
            "unsure": "countdown 60s", "lasts": "10m", "provisional": "5m",
            "settle": "2s", "verify": "40s", "signals": signals, **more})

    def policy(self, service, **more):
        return self.write(f"policies/{service}.yaml",
                          self.policy_text(service, **more))

    # The daemon and its commands.

    @property
    def daemon(self):
        return self.daemons[-1]

    def start(self, **options):
        daemon = Daemon(self, **options)
        self.daemons.append(daemon)
        until("the daemon is ready", lambda: daemon.process.poll() is not None
              or self.get("/healthz")[0] == 200)
        if daemon.process.poll() is not None:
            daemon.ended()
            raise AssertionError("it did not start:\n" + daemon.said())
        return daemon

    def restart(self):
        self.daemon.kill()
        return self.start()

    def heard(self, event):
        for hook in list(self.hooks):
            hook(event)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path):
        return fetch(self.url + path)

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, (path, status, body)
        return json.loads(body)

    def post(self, path, document, **headers):
        names = {"Content-Type": "application/json",
                 **{name.replace("_", "-"): text
                    for name, text in headers.items()}}
        status, body = fetch(self.url + path, json.dumps(document).encode(),
                             names)
        return status, json.loads(body) if body.startswith("{") else body

    def run(self, *arguments):
        """Exit code and everything it said."""
        done = subprocess.run(
            [BINARY, *map(str, arguments)], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=PATIENCE, check=False,
            env={**os.environ, "LASTGOOD_SERVER": self.url})
        text = done.stdout + done.stderr
        assert not SANITIZER.search(text), text
        return done.returncode, text

    def must(self, *arguments, code=0):
        got, text = self.run(*arguments)
        assert got == code, f"{arguments}: exit {got}, not {code}: {text}"
        return text

    def register(self, service, version, *more, data="none", code=0):
        """Its release's number."""
        words = ["register", service, version, "--environment", "production"]
        words += ["--data-change", data] if data else []
        text = self.must(*words, *more, code=code)
        found = re.search(r"release (\d+)", text)
        return found.group(1) if found else text

    def adopt(self, service, version="1.0"):
        return self.must("adopt", service, version, "--environment",
                         "production", "--reason", "it ran for a month")

    def gate(self, service, *more, code):
        return self.must("gate", service, "--environment", "production",
                         *more, code=code)

    def gate_after_thaw(self, service, version="2.0"):
        """What the gate says of a version when nothing is frozen."""
        self.must("thaw", service, "--environment", "production", "--reason",
                  "enough")
        return self.gate(service, "--version", version, code=3)

    def deploy(self, service, version, **options):
        """What a pipeline does."""
        self.deployer.deploy(service, version)
        return self.register(service, version, **options)

    def deploy_bad(self, service, version="2.0", good="1.0"):
        """`good` is vouched for; `version` goes live and throws errors."""
        self.warm(service)
        self.adopt(service, good)
        self.make_bad(service, version)
        return self.deploy(service, version)

    def looks(self):
        _, page = self.get("/metrics")
        found = re.search(r"^lastgood_looks_total (\d+)$", page, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def look_on(self, looks=5):
        """Let the daemon look at its releases a few times more."""
        before = self.looks()
        until(f"{looks} looks", lambda: self.looks() >= before + looks)

    def release(self, number):
        return self.json(f"/v1/releases/{number}")

    def releases(self, service):
        return self.json(f"/v1/releases?service={service}")["releases"]

    # The end.

    def close(self):
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.kill()
        self.exporter.take(self.number)
        self.deployer.stop()
        self.pager.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Story(unittest.TestCase):
    """One story in a world of its own, which must be left in order."""

    world = None

    def open(self, *services, **settings):
        """The story's world, with its daemon not yet started."""
        self.world = World(services or ("shop",), **settings)
        self.addCleanup(self.world.close)
        self.addCleanup(self.check_order)
        return self.world

    def check_order(self):
        """Ended when asked to, nothing reported, the journal whole."""
        world = self.world
        if not world.daemons:
            return
        if world.daemon.process.poll() is None:
            self.assertEqual(world.daemon.terminate(), 0, world.daemon.said())
            self.assertTrue(world.daemon.all("stopped"), world.daemon.said())
        for daemon in world.daemons:
            self.assertNotRegex(daemon.said(), SANITIZER)
        self.assertEqual(world.pager.forged, [])
        database = world.folder / "state" / "lastgood.db"
        if database.exists():
            world.must("verify", database)

    def page(self, service, pattern):
        """Wait for a page about @service that says @pattern."""
        return until(f"a page about {service}: {pattern}", lambda: [
            page for page in self.world.pager.about(service)
            if re.search(pattern, page["text"])])[0]

    def check_reverted(self, service, live="1.0", posts=None):
        """Exactly one effective revert, and it is what is live."""
        deployer = self.world.deployer
        self.assertEqual(len(deployer.effective_of(service)), 1,
                         deployer.posts_of(service))
        self.assertEqual(deployer.live[service], live)
        keys = {post["key"] for post in deployer.posts_of(service)}
        self.assertEqual(len(keys), 1, deployer.posts_of(service))
        if posts is not None:
            self.assertEqual(len(deployer.posts_of(service)), posts)

    def check_untouched(self, service):
        self.assertEqual(self.world.deployer.posts_of(service), [])


# ---- running ---------------------------------------------------------------

def play(test):
    """Its result and how long it took."""
    began, result = time.monotonic(), unittest.TestResult()
    try:
        test.run(result)
    except BaseException:  # pylint: disable=broad-except
        result.addError(test, sys.exc_info())
        traceback.print_exc()
    return test, result, time.monotonic() - began


def main():
    """world.py's caller plays its stories: BINARY [NAME...]"""
    wanted = sys.argv[2:]
    loader, tests = unittest.TestLoader(), []
    for suite in loader.loadTestsFromModule(sys.modules["__main__"]):
        tests += [test for test in suite if not wanted or
                  any(word in test.id() for word in wanted)]
    failed = 0
    Stage.open()
    try:
        with concurrent.futures.ThreadPoolExecutor(TOGETHER) as pool:
            for job in concurrent.futures.as_completed(
                    [pool.submit(play, test) for test in tests]):
                test, result, took = job.result()
                name = test.id().removeprefix("__main__.")
                print(f"{'ok' if result.wasSuccessful() else 'FAILED':6} "
                      f"{took:5.1f} s  {name}", flush=True)
                for _, text in result.failures + result.errors:
                    print(text, flush=True)
                failed += not result.wasSuccessful()
    finally:
        Stage.close()
    print(f"{len(tests)} stories, {failed} failed")
    sys.exit(1 if failed or not tests else 0)
