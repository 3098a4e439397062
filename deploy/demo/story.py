#!/usr/bin/python3
"""The incident that lastgood was born from, re-enacted with real parts.

Act one: user-service 2.4.0 leaks database connections and the traffic grows by
40 % the same minute.  Act two: the same growth on a healthy version.
"""
import argparse
import calendar
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from parts import HERE, POOL_SIZE, Parts, call, deploy, free_port, wait_until

GROWTH = 1.4
QUIET, BUSY = 70, 90        # requests a second before the growth of each act
LASTGOOD = HERE.parents[1] / "build" / "release" / "lastgood"
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
TINTS = {"pipeline": "36", "traffic": "35", "service": "33", "lastgood": "1;32",
         "on call": "1;31", "sre": "36"}
SECRET = b"a key that the demo made up"


class Story:
    """Prints one line an event, with the time since the newest deploy."""

    def __init__(self):
        self.deployed_at, self.lock = None, threading.Lock()

    def act(self, title):
        print(f"\n\033[1m{title}\033[0m" if COLOUR else f"\n{title}", flush=True)

    def deployed(self):
        self.deployed_at = time.time()

    def say(self, who, text, at=None):
        since = "" if self.deployed_at is None else f"{(at or time.time()) - self.deployed_at:+.1f} s"
        name = f"\033[{TINTS[who]}m{who:<9}\033[0m" if COLOUR else f"{who:<9}"
        with self.lock:
            print(f"{since:>9}  {name} {text}", flush=True)


class Webhook(http.server.ThreadingHTTPServer):
    """The pager and the status page: accepts only what is rightly signed."""

    daemon_threads = True

    def __init__(self, story):
        self.story, self.told = story, []
        super().__init__(("127.0.0.1", 0), WebhookHandler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class WebhookHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers.get("Lastgood-Timestamp", "")
        right = "v1=" + hmac.new(SECRET, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(right, self.headers.get("Lastgood-Signature", ""))
        self.send_response(204 if good else 401)
        self.end_headers()
        if good:
            document = json.loads(body)
            self.server.told.append(document)
            sink = "pager" if self.path == "/page" else "status page"
            text = document["text"]
            self.server.story.say("on call", f"{sink}: {text if len(text) < 100 else text[:97] + '...'}")

    def log_message(self, *_):
        pass


class Traffic:
    """Follows the load generator and, with it, what the pool is doing."""

    def __init__(self, process, story, prometheus):
        self.process, self.story, self.prometheus = process, story, prometheus
        self.failed = self.served = 0
        threading.Thread(target=self.follow, daemon=True).start()

    def set(self, rate, seconds):
        self.process.stdin.write(f"{rate} {seconds}\n")
        self.process.stdin.flush()

    def follow(self):
        for number, line in enumerate(self.process.stdout):
            now = json.loads(line)
            self.failed += now["errors"]
            self.served += now["ok"]
            if self.story.deployed_at and number % 5 == 0:
                self.tell(now)

    def tell(self, now):
        query = "sum(db_pool_connections_in_use)"
        try:
            _, answer = call(f"{self.prometheus}/api/v1/query?query={query}")
            used = int(float(answer["data"]["result"][0]["value"][1]))
        except (OSError, LookupError, TypeError):
            return
        self.story.say("service", f"{used} of {POOL_SIZE} connections in use "
                       f"({100 * used // POOL_SIZE} %), {now['rate']:.0f} requests/s, "
                       f"{now['errors']} failed")


class Lastgood:
    """The daemon, its log told as a story, and its commands."""

    def __init__(self, parts, story, urls):
        self.story, self.port = story, free_port()
        folder = parts.folder
        (folder / "policies").mkdir()
        shutil.copy(HERE / "user-service.yaml", folder / "policies")
        (folder / "hook.key").write_bytes(SECRET)
        text = (HERE / "lastgood.yaml").read_text()
        for name, value in {**urls, "PORT": self.port, "FOLDER": folder}.items():
            text = text.replace(f"@{name}@", str(value))
        (folder / "lastgood.yaml").write_text(text)
        self.seen = []
        self.process = parts.start("lastgood", [LASTGOOD, "serve", "--log", "json", "--config",
                                                folder / "lastgood.yaml"])
        self.log = folder / "lastgood.log"
        wait_until("lastgood", 10, lambda: call(f"http://127.0.0.1:{self.port}/healthz")[0] == 200)
        threading.Thread(target=self.follow, daemon=True).start()

    def follow(self):
        with open(self.log, encoding="utf-8") as lines:
            while True:
                line = lines.readline()
                if not line.endswith("\n"):
                    time.sleep(0.05)
                    continue
                event = json.loads(line)
                self.seen.append(event)
                self.tell(event)

    def tell(self, event):
        """One line an event that a spectator wants to hear."""
        name, text = event["event"], event.get("text", "")
        if name == "verdict":
            self.story.say("lastgood", f"verdict: {event['verdict']}" + (f": {text}" if text else ""))
        elif name == "incident.opened":
            self.story.say("lastgood", "because " + text.rpartition(" (")[2].rstrip(")"))
        elif name == "rollback.intended":
            self.story.say("lastgood", f"intent durable: back to {event['to']}, "
                           f"{event['version']} tainted, deploys frozen")
        elif name in TOLD:
            self.story.say("lastgood", f"{TOLD[name]}: {text}")

    def saw(self, name, **fields):
        return any(event["event"] == name and fields.items() <= event.items()
                   for event in list(self.seen))

    def run(self, *arguments):
        environment = {**os.environ, "LASTGOOD_SERVER": f"http://127.0.0.1:{self.port}"}
        subprocess.run([LASTGOOD, *arguments], env=environment, check=False)

    def register(self, version):
        """As a pipeline does, right after the deploy."""
        self.run("register", "user-service", version, "--environment", "production",
                 "--previous", "2.3.2", "--data-change", "none")

    def release_of(self, version):
        return next(event["record"] for event in list(self.seen)
                    if event["event"] == "release.registered" and event.get("version") == version)


# The moves of a rollback, in a spectator's words.
TOLD = {
    "rollback.requested": "reverting",
    "rollback.in_progress": "the deployment API answers",
    "rollback.applied": "applied",
    "rollback.recovered": "proven",
    "rollback.refused": "rollback refused",
    "rollback.failed": "rollback failed",
    "rollback.not_recovered": "not recovered",
    "rollback.unverified": "not verified",
}


def leak_act(story, urls, traffic, lastgood):
    """2.4.0 goes live, a new customer arrives: 40 % more traffic."""
    story.act("Act one: version 2.4.0 leaks connections, and the traffic grows by 40 %")
    if lastgood:
        lastgood.run("adopt", "user-service", "2.3.2", "--environment", "production",
                     "--reason", "ran for a month")
    time.sleep(22 if lastgood else 3)  # the baseline: what normal looks like
    traffic.failed = 0
    deploy(urls["DEPLOYER"], "2.4.0", "2.3.2")
    story.deployed()
    story.say("pipeline", "deployed user-service 2.4.0")
    if lastgood:
        lastgood.register("2.4.0")
    time.sleep(12)
    story.say("traffic", f"a new customer: from {QUIET} to {QUIET * GROWTH:.0f} requests/s within 15 s")
    traffic.set(QUIET * GROWTH, 15)


def watched(story, urls, traffic, lastgood):
    leak_act(story, urls, traffic, lastgood)
    wait_until("recovery", 90, lambda: lastgood.saw("rollback.recovered"))
    decided = story_time(lastgood, "rollback.intended") - story.deployed_at
    failed = traffic.failed
    story.act("Why, in its own words: lastgood why")
    lastgood.run("why", lastgood.release_of("2.4.0"))

    story.act("Act two: the same growth on a healthy version")
    traffic.set(BUSY, 3)
    story.deployed_at = None
    lastgood.run("gate", "user-service", "--environment", "production", "--version", "2.4.1")
    story.say("sre", "2.4.1 repairs the leak: thaw, and let it through")
    lastgood.run("thaw", "user-service", "--environment", "production", "--reason", "2.4.1 repairs the leak")
    time.sleep(25)
    deploy(urls["DEPLOYER"], "2.4.1", "2.3.2")
    story.deployed()
    story.say("pipeline", "deployed user-service 2.4.1")
    lastgood.register("2.4.1")
    time.sleep(8)
    story.say("traffic", f"the same growth: from {BUSY} to {BUSY * GROWTH:.0f} requests/s within 10 s")
    traffic.set(BUSY * GROWTH, 10)
    wait_until("a verdict", 40, lambda: lastgood.saw("verdict", verdict="page", version="2.4.1"))
    time.sleep(6)
    live = call(f"{urls['DEPLOYER']}/version")[1]["version"]
    story.say("service", f"still live: {live}")
    story.act("Why it was left alone: lastgood why")
    lastgood.run("why", "user-service", "--environment", "production")
    if live != "2.4.1":
        raise RuntimeError(f"the healthy version was reverted: {live} is live")
    print(f"\nlastgood decided {decided:.0f} s after the deploy, {failed} requests failed; "
          "in the incident people took 25 minutes from the first page to the decision.")


def story_time(lastgood, name):
    """When the daemon logged the first event of that name, Unix seconds."""
    text = next(event["time"] for event in lastgood.seen if event["event"] == name)
    moment = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(moment) + float("0" + text[19:].rstrip("Z") or 0)


def unwatched(story, urls, traffic):
    leak_act(story, urls, traffic, None)
    time.sleep(45)
    served, failed = traffic.served, traffic.failed
    print(f"\nNobody watched: {failed} requests failed, and version "
          f"{call(urls['DEPLOYER'] + '/version')[1]['version']} is still live.")
    if failed == 0:
        raise RuntimeError(f"the pool should have run dry by now ({served} served)")


def play(story, parts, arguments):
    print("starting PostgreSQL, the deployment API, user-service 2.3.2, Prometheus ...", flush=True)
    dsn = parts.postgres()
    deployer, service_port = parts.deployer(dsn)
    prometheus = parts.prometheus(service_port)
    webhook = Webhook(story)
    urls = {"DEPLOYER": deployer, "PROMETHEUS": prometheus,
            "WEBHOOK": f"http://127.0.0.1:{webhook.server_address[1]}"}
    traffic = Traffic(parts.load(service_port), story, prometheus)
    traffic.set(QUIET, 0)
    if arguments.unwatched:
        unwatched(story, urls, traffic)
    else:
        lastgood = Lastgood(parts, story, urls)
        watched(story, urls, traffic, lastgood)
        urls["lastgood"] = f"http://127.0.0.1:{lastgood.port}"
    if arguments.keep:
        print("\nStill running (Ctrl-C ends all):")
        for name, url in urls.items():
            print(f"  {name.lower():<11} {url}")
        print(f"  {'service':<11} http://127.0.0.1:{service_port}/metrics")
        print(f"  {'files':<11} {parts.folder}", flush=True)
        signal.pause()


def main():
    reader = argparse.ArgumentParser(description=__doc__, prog="deploy/demo/run",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--unwatched", action="store_true",
                        help="act one without lastgood: the pool runs dry")
    reader.add_argument("--keep", action="store_true",
                        help="leave everything running at the end, print the addresses")
    arguments = reader.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lastgood-demo-"))
    folder.chmod(0o711)  # postgres must reach its part of it
    parts, code = Parts(folder), 0
    try:
        play(Story(), parts, arguments)
    except KeyboardInterrupt:
        print("\nending", flush=True)
    except (RuntimeError, OSError, subprocess.SubprocessError) as error:
        print(f"demo: {error}; the parts' logs:", file=sys.stderr)
        for log in sorted(folder.glob("*.log")):
            print(f"--- {log.name}", file=sys.stderr)
            print("".join(log.read_text(errors="replace").splitlines(True)[-15:]), file=sys.stderr)
        code = 1
    finally:
        parts.close()
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(code)


main()
