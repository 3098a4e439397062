"""The real parts of the demo, each a process that is ended by its pid."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
POOL_SIZE = 40


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def call(url, body=None, headers=None):
    """(status, document) of a GET, or of a POST when there is a body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        return error.code, None


def wait_until(what, seconds, ask):
    """Ask until the answer is true; the demo cannot go on without it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            answer = ask()
            if answer:
                return answer
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{what} did not happen within {seconds} s")


class Parts:
    """Starts parts in order; close() ends them in reverse."""

    def __init__(self, folder):
        self.folder, self.processes = folder, []

    def start(self, name, command, **more):
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen(command, stderr=log, stdout=more.pop("stdout", log),
                                   start_new_session=True, **more)
        self.processes.append((name, process, signal.SIGTERM))
        return process

    def close(self):
        for name, process, how in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(how)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                print(f"demo: {name} did not end, killed", file=sys.stderr)
                process.kill()
                process.wait()
        self.processes.clear()

    def postgres(self):
        """PostgreSQL refuses to run as root: it runs as postgres then."""
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not found:
            raise RuntimeError("no PostgreSQL in /usr/lib/postgresql: deploy/packages demo")
        binaries, home = found[-1].parent, self.folder / "postgres"
        home.mkdir()
        become = []
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        user = "postgres" if become else pwd.getpwuid(os.geteuid()).pw_name
        subprocess.run([*become, binaries / "initdb", "-D", home / "data", "-A", "trust",
                        "--no-sync"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        port = free_port()
        self.start("postgres", [*become, binaries / "postgres", "-D", home / "data",
                                "-k", home, "-p", str(port), "-h", "127.0.0.1",
                                "-c", "fsync=off", "-c", "max_connections=200"], cwd="/")
        self.processes[-1] = (*self.processes[-1][:2], signal.SIGINT)
        ready = [*become, binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        wait_until("PostgreSQL", 20, lambda: subprocess.run(ready, cwd="/").returncode == 0)
        return f"host=127.0.0.1 port={port} user={user} dbname=postgres"

    def deployer(self, dsn):
        """The deployment API, and by it the first version of user-service."""
        port, service_port = free_port(), free_port()
        self.start("deployer", [sys.executable, HERE / "deployer.py", str(port),
                                HERE / "user_service.py", str(service_port),
                                str(POOL_SIZE), dsn])
        url = f"http://127.0.0.1:{port}"
        wait_until("the deployment API", 10, lambda: call(f"{url}/version")[0] == 200)
        deploy(url, "2.3.2")
        return url, service_port

    def prometheus(self, service_port):
        port, home = free_port(), self.folder / "prometheus"
        home.mkdir()
        (home / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 1s, scrape_timeout: 900ms}}
scrape_configs:
  - job_name: app
    static_configs:
      - targets: ["127.0.0.1:{service_port}"]
        labels: {{service: user-service}}
""")
        self.start("prometheus", ["prometheus", f"--config.file={home}/prometheus.yml",
                                  f"--storage.tsdb.path={home}/data",
                                  f"--web.listen-address=127.0.0.1:{port}",
                                  "--log.level=warn"])
        url = f"http://127.0.0.1:{port}"
        wait_until("the first scrape", 30, lambda: call(
            f"{url}/api/v1/query?query=up%3D%3D1")[1]["data"]["result"])
        return url

    def load(self, service_port):
        return self.start("load", [sys.executable, HERE / "load.py", str(service_port)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def deploy(url, version, expected=None):
    """What a pipeline does: ask for a version, wait until it is live."""
    body = {"service": "user-service", "version": version}
    if expected:
        body["expected_version"] = expected
    status, _ = call(f"{url}/deploy", body,
                     {"Idempotency-Key": f"pipeline-{version}-{time.time_ns()}"})
    if status != 202:
        raise RuntimeError(f"the deployment API answered {status} to version {version}")
    live = {"version": version, "ready": True}
    wait_until(f"deploying {version}", 20, lambda: call(f"{url}/version")[1] == live)
