"""A world for the daemon: metrics, a deployment API, a pager, and the process.

Everything listens on free ports of the loopback address and lies in one
temporary folder.  Python's standard library only.
"""

import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BINARY = os.path.abspath(sys.argv.pop(1))
PATIENCE = 60  # seconds until a test that waits gives up


def until(ask, what):
    """Wait for ask() to answer something true, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError("never came: " + what)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *arguments):
        pass

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        self.server.world_part.serve(self, body)

    do_GET = do_POST = do_PUT = serve

    def answer(self, status, document, kind="application/json", headers=()):
        body = document if isinstance(document, bytes) else \
            json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self):
        """Close without a word."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def hang(self, seconds):
        """Take the request and say nothing for a while."""
        time.sleep(seconds)
        self.close_connection = True

    def chatter(self, megabytes):
        """A body without an announced length."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        for _ in range(megabytes * 16):
            self.wfile.write(b"[" * 65536)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, *arguments):
        self.connections = set()
        super().__init__(*arguments)

    def process_request(self, request, client_address):
        self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        self.connections.discard(request)
        super().shutdown_request(request)

    def cut(self):
        for connection in list(self.connections):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def handle_error(self, request, client_address):
        pass  # a client that left; the daemon is killed on purpose


class Part:
    """A server in a thread of its own; it can go away and come back."""

    def __init__(self):
        self.lock = threading.Lock()
        self.port = 0
        self.start()

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.world_part = self
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(
            target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.server.cut()
        self.thread.join()

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port


class Metrics(Part):
    """As much of Prometheus as is asked of it: `values` by query's text."""

    def __init__(self):
        self.values = {}
        self.queries = 0
        self.instead = None  # serve(handler) instead of an answer
        super().__init__()

    def serve(self, handler, body):
        form = dict(urllib.parse.parse_qsl(
            body.decode() or urllib.parse.urlsplit(handler.path).query))
        self.queries += 1
        if self.instead is not None:
            self.instead(handler)
            return
        value = str(self.values.get(form.get("query"), 0))
        if handler.path.startswith("/api/v1/query_range"):
            start, end = float(form["start"]), float(form["end"])
            step = float(form["step"].rstrip("s"))
            steps = int((end - start) / step + 1e-9) + 1
            handler.answer(200, {"status": "success", "data": {
                "resultType": "matrix", "result": [{
                    "metric": {},
                    "values": [[start + i * step, "0"]
                               for i in range(steps)]}]}})
            return
        handler.answer(200, {"status": "success", "data": {
            "resultType": "vector", "result": [{
                "metric": {},
                "value": [float(form.get("time", time.time())), value]}]}})


class Deployer(Part):
    """A deployment API.  `reverts` are the requests that changed something."""

    def __init__(self):
        self.live = {}       # service -> version
        self.requests = []   # bodies of all revert requests, with their key
        self.reverts = []    # those that took effect
        self.hook = None     # called with "live" or "revert" before an answer
        self.modes = {}      # service -> serve(part, handler, order, attempt)
        super().__init__()

    def serve(self, handler, body):
        service = handler.path.strip("/").split("/")[0]
        if handler.command == "GET":
            self.call_hook("live")
            handler.answer(200, {"version": self.live.get(service, ""),
                                 "ready": True})
            return
        order = json.loads(body)
        order["key"] = handler.headers.get("Idempotency-Key")
        order["service"] = service
        with self.lock:
            self.requests.append(order)
        self.call_hook("revert")
        mode = self.modes.get(service, Deployer.revert)
        mode(self, handler, order, self.attempts(service))
        self.call_hook("reverted")

    def attempts(self, service):
        return sum(order["service"] == service for order in self.requests)

    def revert(self, handler, order, _attempt):
        if self.take(order["service"], order):
            handler.answer(202, {"accepted": True})
        else:
            handler.answer(409, {"live": self.live[order["service"]]})

    def call_hook(self, moment):
        hook = self.hook
        if hook is not None:
            hook(moment)

    def take(self, service, order):
        with self.lock:
            if self.live[service] == order["version"]:
                return True  # already there
            if self.live[service] != order["expected_version"]:
                return False
            self.live[service] = order["version"]
            self.reverts.append(order)
            return True


class Pager(Part):
    def __init__(self):
        self.pages = []
        super().__init__()

    def serve(self, handler, body):
        with self.lock:
            self.pages.append((dict(handler.headers), body))
        handler.answer(200, {})

    def texts(self):
        return [body.decode() for _, body in self.pages]


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
            Metrics(), Deployer(), Pager()
        self.daemons = []
        self.write("hook.key", "a secret of the hook\n")
        self.configure()
        self.policy("shop")
        self.deployer.live["shop"] = "1.0"

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
        return daemon.wait(), daemon.said()

    def close(self):
        for daemon in self.daemons:
            if daemon.process.poll() is None:
                daemon.kill()
        for part in (self.metrics, self.deployer, self.pager):
            try:
                part.stop()
            except OSError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)


class Daemon:
    """`lastgood serve` as a process; every line it says is kept."""

    def __init__(self, world, environment=None, prepare=None, binary=BINARY):
        self.world = world
        self.lines = []
        self.process = subprocess.Popen(
            [binary, "serve", "--config", world.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, preexec_fn=prepare,
            env=dict(os.environ, **(environment or {})))
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stderr:
            self.lines.append(line.decode(errors="replace").rstrip("\n"))

    def said(self):
        return "\n".join(self.lines)

    def find(self, pattern):
        for line in self.lines:
            found = re.search(pattern, line)
            if found:
                return found
        return None

    def await_line(self, pattern):
        def ask():
            found = self.find(pattern)
            if not found and self.process.poll() is not None:
                self.reader.join(PATIENCE)
                found = self.find(pattern)
                if not found:
                    raise AssertionError("ended before it said %r:\n%s" %
                                         (pattern, self.said()))
            return found
        try:
            return until(ask, pattern)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, self.said())) from None

    def await_ready(self):
        found = self.await_line(r"listening on 127\.0\.0\.1:(\d+)")
        self.url = "http://127.0.0.1:" + found.group(1)

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.wait()

    def wait(self):
        """The exit code, with everything read that it said."""
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        return code

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait()

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
        try:
            with urllib.request.urlopen(self.url + path,
                                        timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, (status, body)
        return json.loads(body)
