"""A world for the daemon: metrics, a deployment API, a pager, and the process.

Everything listens on free ports of the loopback address and lies in one
temporary folder.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "peers"))

from peers import Deployer, Metrics, Pager
from serving import PATIENCE, Process, fetch, until

BINARY = os.path.abspath(sys.argv.pop(1))
SECRET = b"a secret of the hook"

CONFIG = """\
listen: {{http: 127.0.0.1:{port}, unix: {folder}/socket}}
state: {{sqlite: {state}/lastgood.db}}
policies: {folder}/policies
interlocks: {{per_service: 10 in 1m, fleet: 100 in 1m,
             shared_cause: 50 services and 100% in 1m}}
sources:
  prom: {{prometheus: {metrics}, lag: 50ms, timeout: 2s}}
targets:
  deployer:
    http:
      live: {{get: "{{deploy_url}}/{{service}}/version", version: /version,
             complete: /ready}}
      revert: {{post: "{{deploy_url}}/{{service}}/deploy",
               json: {{version: "{{target}}", expected_version: "{{suspect}}"}},
               ok: [200, 202], raced: [409],
               idempotency_header: Idempotency-Key, timeout: 2s}}
    deadline: 15s
services:
  - {{service: "*", environment: production, target: deployer, source: prom,
     vars: {{deploy_url: "{deployer}"}}}}
notices:
  oncall: {{webhook: {{url: "{pager}/page", secret_file: {folder}/hook.key}}}}
page: [oncall]
"""

POLICY = """\
policy: {name}
applies_to: {{service: {name}, environment: production}}
mode: auto
watch: {{for: 1h, every: 1s, settle: 1s}}
baseline: 10s
verify: {{within: 1m, for: 3s}}
signals:
  errors: {{prometheus: errors_of_{name}, unit: count}}
tree:
  question: Are there errors?
  if: errors > 5
  then: {{rollback: last_good, freeze: 1h, notify: [oncall]}}
  else: healthy
"""


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lastgood-shell-")
        os.chmod(self.folder, 0o711)
        self.state = os.path.join(self.folder, "state")
        os.mkdir(self.state)
        os.mkdir(os.path.join(self.folder, "policies"))
        self.metrics, self.deployer, self.pager = \
            Metrics(), Deployer(), Pager(SECRET)
        self.daemons = []
        self.write("hook.key", SECRET.decode() + "\n")
        self.configure()
        self.policy("shop")
        self.deployer.deploy("shop", "1.0")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        return path

    def remove(self, name):
        os.unlink(os.path.join(self.folder, name))

    def configure(self, port=0, more=""):
        self.config = self.write("config.yaml", CONFIG.format(
            port=port, folder=self.folder, state=self.state,
            metrics=self.metrics.url, deployer=self.deployer.url,
            pager=self.pager.url) + more)

    def policy(self, name):
        self.write("policies/%s.yaml" % name, POLICY.format(name=name))

    def start(self, **options):
        daemon = Daemon(self, **options)
        self.daemons.append(daemon)
        daemon.await_ready()
        return daemon

    def refuse(self, **options):
        """A start that must fail: its exit code and what it said."""
        daemon = Daemon(self, **options)
        self.daemons.append(daemon)
        return daemon.ended(), daemon.said()

    def close(self):
        for daemon in self.daemons:
            if daemon.is_running():
                daemon.kill()
        for part in (self.metrics, self.deployer, self.pager):
            part.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Daemon(Process):
    """`lastgood serve`, and what people do with it."""

    def __init__(self, world, environment=None, prepare=None, binary=BINARY):
        self.world = world
        super().__init__([binary, "serve", "--config", world.config],
                         prepare, environment)

    def find(self, pattern):
        for line in self.lines:
            found = re.search(pattern, line)
            if found:
                return found
        return None

    def await_line(self, pattern):
        def ask():
            found = self.find(pattern)
            if not found and not self.is_running():
                self.reader.join(PATIENCE)
                found = self.find(pattern)
                if not found:
                    raise AssertionError("ended before it said %r:\n%s" %
                                         (pattern, self.said()))
            return found
        try:
            return until(pattern, ask)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, self.said())) from None

    def await_ready(self):
        found = self.await_line(r"listening on 127\.0\.0\.1:(\d+)")
        self.url = "http://127.0.0.1:" + found.group(1)

    # What people do.

    def run(self, *arguments):
        done = subprocess.run(
            [BINARY, arguments[0], *arguments[1:], "--server", self.url],
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False)
        return done.returncode, done.stdout + done.stderr

    def register(self, version, service="shop", key=None):
        return self.run("register", service, version, "--environment",
                        "production", "--data-change", "none",
                        "--key", key or "%s-%s" % (service, version))

    def adopt(self, version, service="shop"):
        return self.run("adopt", service, version, "--environment",
                        "production", "--reason", "it ran for a month")

    def get(self, path):
        """Status and body."""
        return fetch(self.url + path)

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, (status, body)
        return json.loads(body)
