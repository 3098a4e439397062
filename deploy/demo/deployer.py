#!/usr/bin/python3
"""The deployment API of the demo: it really replaces the running process.

GET  /version            {"version": "2.3.2", "ready": true}
GET  /versions/VERSION   200 when it can be deployed, else 404
POST /deploy             {"service", "version", "expected_version"}: 202, or 409
                         when another version is live; Idempotency-Key required
"""
import http.server
import json
import signal
import subprocess
import sys
import threading

VERSIONS = ["2.3.2", "2.4.0", "2.4.1"]


class Deployer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, command):
        self.command, self.process, self.version = command, None, ""
        self.ready, self.answers = False, {}
        self.lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def deploy(self, key, body):
        """Answer (status, document); the same key gets the same answer."""
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            wanted, expected = body["version"], body.get("expected_version")
            if wanted not in VERSIONS:
                return 404, {"error": f"no such version {wanted}"}
            if expected is not None and expected != self.version:
                return 409, {"error": "another version is live",
                             "live": self.version}
            self.version, self.ready = wanted, False
            self.answers[key] = 202, {"deploying": wanted}
            threading.Thread(target=self.replace, args=(wanted,)).start()
            return self.answers[key]

    def replace(self, version):
        """Start the new process; when it serves, end the old one."""
        new = subprocess.Popen([self.command[0], self.command[1], version,
                                *self.command[2:]], stdout=subprocess.PIPE)
        started = new.stdout.readline().strip() == b"ready"
        with self.lock:
            old, self.process = self.process, new
            self.ready = started and self.version == version
        if old:
            old.terminate()
            old.wait()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait()
        self.shutdown()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/version":
            self.answer(200, {"version": self.server.version,
                              "ready": self.server.ready})
        elif self.path.startswith("/versions/"):
            known = self.path.rpartition("/")[2] in VERSIONS
            self.answer(200 if known else 404, {"known": known})
        else:
            self.answer(404, {"error": "no such path"})

    def do_POST(self):
        key = self.headers.get("Idempotency-Key")
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/deploy" or not key:
            self.answer(400, {"error": "POST /deploy with Idempotency-Key"})
            return
        self.answer(*self.server.deploy(key, json.loads(self.rfile.read(length))))

    def answer(self, status, document):
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    deployer = Deployer(int(sys.argv[1]), [sys.executable, *sys.argv[2:]])
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(
        target=deployer.stop).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deployer.serve_forever(poll_interval=0.05)


main()
