"""The scripted peers of the daemon: metrics, a deployment API, a pager.

Each serves in threads of its own on a free port of the loopback address and
keeps what was asked of it.  Nothing here knows lastgood's code: only its
documents.
"""
import contextlib
import hashlib
import hmac
import json
import threading
import time
import urllib.parse

from serving import Part


class Metrics(Part):
    """As much of Prometheus as is asked of it: `values` by query's text."""

    def __init__(self):
        self.values, self.queries = {}, 0
        self.instead = None  # serve(handler) instead of an answer
        super().__init__()

    def serve(self, handler, body):
        form = dict(urllib.parse.parse_qsl(
            body.decode() or urllib.parse.urlsplit(handler.path).query))
        self.queries += 1
        if self.instead is not None:
            self.instead(handler)
        elif handler.path.startswith("/api/v1/query_range"):
            start, end = float(form["start"]), float(form["end"])
            step = float(form["step"].rstrip("s"))
            steps = int((end - start) / step + 1e-9) + 1
            self.answer(handler, "matrix", values=[
                [start + i * step, "0"] for i in range(steps)])
        else:
            self.answer(handler, "vector", value=[
                float(form.get("time", time.time())),
                str(self.values.get(form.get("query"), 0))])

    def answer(self, handler, kind, **numbers):
        handler.answer(200, {"status": "success", "data": {
            "resultType": kind, "result": [{"metric": {}, **numbers}]}})


class Exporter(Part):
    """/world/NUMBER: the metrics of a story's services, as they behave now.

    `traffic(service)` answers {"requests": a second, "errors": a second,
    "pool": connections}; what is missing there is missing on the page.
    """

    def __init__(self):
        self.worlds = {}
        super().__init__()

    def put(self, number, traffic, services):
        with self.lock:
            self.worlds[number] = {
                "traffic": traffic, "services": services, "counters": {},
                "at": time.monotonic(), "odd": [], "down": False}

    def take(self, number):
        with self.lock:
            self.worlds.pop(number, None)

    def odd_lines(self, number, *lines):
        """Lines that are on the page as they are."""
        with self.lock:
            self.worlds[number]["odd"] = list(lines)

    def down(self, number, down=True):
        with self.lock:
            self.worlds[number]["down"] = down

    def restart(self, number):
        """Counters begin at zero, as after a deploy."""
        with self.lock:
            self.worlds[number]["counters"] = {}

    def lines(self, world):
        now = time.monotonic()
        took, world["at"] = now - world["at"], now
        lines, counters = list(world["odd"]), world["counters"]
        for service in world["services"]:
            does = world["traffic"](service)
            for name, code in (("requests", "200"), ("errors", "500")):
                key = (service, code)
                if name in does:
                    counters[key] = counters.get(key, 0) + does[name] * took
                if key in counters and "gone" not in does:
                    lines.append(f'http_requests_total{{service="{service}",'
                                 f'code="{code}"}} {counters[key]!r}')
            if "pool" in does:
                lines.append(f'pool_in_use{{service="{service}"}} '
                             f'{does["pool"]}')
        return lines

    def serve(self, handler, body):
        path, _, query = handler.path.partition("?")
        with self.lock:
            world = self.worlds.get(int(path.rpartition("/")[2]))
            down = world is not None and world["down"]
            lines = self.lines(world) if world and not down else []
        if down:
            handler.close_early()
            return
        wanted = urllib.parse.parse_qs(query).get("service")
        lines = [line for line in lines
                 if not wanted or f'service="{wanted[0]}"' in line]
        handler.answer(200, ("\n".join(lines) + "\n").encode(),
                       "text/plain; version=0.0.4")


class Deployer(Part):
    """A strict deployment API.

    GET  /SERVICE/version        {"version", "ready"}
    GET  /SERVICE/versions/V     200 or 404
    POST /SERVICE/deploy         {"version", "expected_version"}: 202, or 409
                                 when another version is live, 400 without an
                                 Idempotency-Key; the same key gets the same
                                 answer and changes nothing a second time

    `effective` are the posts that changed what is live.  `misbehave` takes
    the next posts' (or gets') behaviours, names of the methods odd_*.
    """

    def __init__(self):
        self.live, self.ready, self.gone = {}, {}, set()
        self.posts, self.effective, self.answers = [], [], {}
        self.odd_posts, self.odd_gets = {}, {}
        self.moments = {}   # moment -> called once with the service
        self.takes = 0.0    # seconds from accepted to ready
        self.enough = threading.Event()
        super().__init__()

    def stop(self):
        self.enough.set()
        super().stop()

    def misbehave(self, service, *posts, gets=()):
        self.odd_posts[service] = list(posts)
        self.odd_gets[service] = list(gets)

    def deploy(self, service, version):
        """As a person or a pipeline puts a version live."""
        with self.lock:
            self.live[service], self.ready[service] = version, True

    def reached(self, moment, service):
        with self.lock:
            action = self.moments.pop((moment, service), None)
        if action:
            action()

    def next_odd(self, behaviours, service):
        """The last one of a list stays in force: 'for ever' is a list of one
        that ends with '...'."""
        with self.lock:
            left = behaviours.get(service) or []
            if not left:
                return None
            return left[0][:-3] if left[0].endswith("...") else left.pop(0)

    def serve(self, handler, body):
        service, _, rest = handler.path.strip("/").partition("/")
        if handler.command == "POST":
            self.serve_post(handler, service, body)
            return
        if rest == "version":
            self.reached("live", service)
            odd = self.next_odd(self.odd_gets, service)
            if odd:
                getattr(self, "odd_" + odd)(handler, service, None)
                return
            with self.lock:
                said = {"version": self.live.get(service, ""),
                        "ready": self.ready.get(service, True)}
            handler.answer(200 if said["version"] else 404, said)
            return
        self.reached("has", service)
        known = rest.rpartition("/")[2] not in self.gone
        handler.answer(200 if known else 404, {"known": known})

    def serve_post(self, handler, service, body):
        order = json.loads(body)
        order["service"], order["key"] = service, \
            handler.headers.get("Idempotency-Key")
        with self.lock:
            self.posts.append(order)
        self.reached("post", service)
        odd = self.next_odd(self.odd_posts, service)
        if odd:
            getattr(self, "odd_" + odd)(handler, service, order)
            return
        handler.answer(*self.take(order))
        self.reached("posted", service)

    def take(self, order):
        """Status and document; the only place where a post has an effect."""
        service, key = order["service"], order["key"]
        if not key:
            return 400, {"error": "Idempotency-Key is required"}
        with self.lock:
            if key in self.answers:
                return self.answers[key]
            if order["expected_version"] != self.live[service]:
                return 409, {"live": self.live[service]}
            self.live[service] = order["version"]
            self.ready[service] = self.takes == 0
            self.effective.append(order)
            self.answers[key] = 202, {"deploying": order["version"]}
            if self.takes:
                timer = threading.Timer(self.takes, self.ready.__setitem__,
                                        (service, True))
                timer.daemon = True
                timer.start()
            return self.answers[key]

    def posts_of(self, service):
        with self.lock:
            return [one for one in self.posts if one["service"] == service]

    def effective_of(self, service):
        with self.lock:
            return [one for one in self.effective if one["service"] == service]

    # Misbehaviours.

    def odd_409(self, handler, service, order):
        handler.answer(409, {"live": self.live[service]})

    def odd_400(self, handler, service, order):
        handler.answer(400, {"error": "what is this?"})

    def odd_403(self, handler, service, order):
        handler.answer(403, b"no", "text/plain")

    def odd_429(self, handler, service, order):
        handler.answer(429, {"error": "slow down"}, headers=[
            ("Retry-After", "1")])

    def odd_500(self, handler, service, order):
        handler.answer(500, {"error": "a stack trace"})

    def odd_503(self, handler, service, order):
        handler.answer(503, b"upstream", "text/plain")

    def odd_500_after(self, handler, service, order):
        """It did what was asked, and says that it did not."""
        self.take(order)
        handler.answer(500, {"error": "after the fact"})

    def odd_html(self, handler, service, order):
        handler.answer(200, b"<html><body>Sign in</body></html>", "text/html")

    def odd_empty(self, handler, service, order):
        handler.answer(200, b"")

    def odd_not_json(self, handler, service, order):
        handler.answer(200, b'{"version": ')

    def odd_wrong_type(self, handler, service, order):
        handler.answer(200, {"version": 24, "ready": "yes"})

    def odd_hang(self, handler, service, order):
        handler.close_connection = True
        self.enough.wait(60)

    def odd_hang_after(self, handler, service, order):
        self.take(order)
        self.odd_hang(handler, service, order)

    def odd_close(self, handler, service, order):
        handler.close_early()

    def odd_close_after(self, handler, service, order):
        self.take(order)
        handler.close_early()

    def odd_404(self, handler, service, order):
        handler.answer(404, b"no such thing", "text/plain")

    def odd_hang_up(self, handler, service, order):
        handler.hang_up()

    def odd_hang_up_after(self, handler, service, order):
        self.take(order)
        handler.hang_up()

    def odd_chatter(self, handler, service, order):
        with contextlib.suppress(OSError):
            handler.chatter(10)

    def odd_chatter_after(self, handler, service, order):
        self.take(order)
        self.odd_chatter(handler, service, order)

    def odd_html_after(self, handler, service, order):
        self.take(order)
        self.odd_html(handler, service, order)

    def odd_huge(self, handler, service, order):
        with contextlib.suppress(OSError):
            handler.answer(200, b"[" + b"0," * (5 * 1024 * 1024) + b"0]")
        handler.close_connection = True

    def odd_redirect(self, handler, service, order):
        handler.answer(302, b"", headers=[("Location", self.url + handler.path)])

    def odd_forget(self, handler, service, order):
        """Accepted, and nothing happens ever after."""
        handler.answer(202, {"deploying": order["version"]})

    def odd_other(self, handler, service, order):
        """Somebody else is faster: a third version goes live."""
        self.deploy(service, "9.9.9")
        handler.answer(409, {"live": "9.9.9"})

    def odd_endless(self, handler, service, order):
        """A header a second, for ever."""
        handler.close_connection = True
        with contextlib.suppress(OSError):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
            while not self.enough.wait(0.3):
                handler.wfile.write(b"X-More: yes\r\n")


class Pager(Part):
    """Receives notices and believes only what is rightly signed."""

    def __init__(self, secret):
        self.secret, self.pages, self.forged = secret, [], []
        self.beats, self.tries = 0, []
        self.mood = None  # called with the page: another status, or None
        super().__init__()

    def serve(self, handler, body):
        if handler.path == "/beat":
            self.beats += 1
            handler.answer(200, b"")
            return
        stamp = handler.headers.get("Lastgood-Timestamp", "")
        right = "v1=" + hmac.new(self.secret, stamp.encode() + b"." + body,
                                 hashlib.sha256).hexdigest()
        good = hmac.compare_digest(
            right, handler.headers.get("Lastgood-Signature", ""))
        fresh = stamp.isdigit() and abs(time.time() - int(stamp)) < 300
        status = 204 if good and fresh else 401
        if good and fresh:
            page = json.loads(body)
            with self.lock:
                self.tries.append((handler.headers.get("Idempotency-Key"),
                                   page))
            status = self.mood and self.mood(page) or status
        with self.lock:
            if status == 204:
                self.pages.append(page)
            elif status == 401:
                self.forged.append((dict(handler.headers), body))
        handler.answer(status, b"")

    def about(self, service, pattern=""):
        with self.lock:
            return [page for page in self.pages
                    if page.get("service") == service and
                    pattern in page["text"]]
