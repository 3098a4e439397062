#!/usr/bin/python3
"""A deployment API, and a Prometheus that tells how its versions do, in a
process of their own: it can be frozen, and it outlives whoever is killed.

It says the two addresses on one line and ends when its input does.  Versions
that begin with "bad" throw errors while they are live.  The API is the strict
one of peers.py, with two more calls for the test itself:

    POST /deploy      {"service", "version"}: as a pipeline does
    GET  /told        {"live", "posts", "effective"}: what was asked so far
"""
import bisect
import json
import sys
import time
import urllib.parse

from peers import Deployer
from serving import Part

QUERY = "sum by (service) (errors)"  # the one that this Prometheus knows
POINTS_MAX = 11000                   # as the real one


class Site(Deployer):
    def __init__(self):
        self.past = {}  # service -> times and versions, since then
        super().__init__()

    def note(self, service):
        times, versions = self.past.setdefault(service, ([], []))
        times.append(time.time())
        versions.append(self.live[service])

    def deploy(self, service, version):
        with self.lock:
            super().deploy(service, version)
            self.note(service)

    def take(self, order):
        with self.lock:
            done = len(self.effective)
            answer = super().take(order)
            if len(self.effective) > done:
                self.note(order["service"])
        return answer

    def live_at(self, service, moment):
        """What was live, None: nothing yet."""
        times, versions = self.past[service]
        index = bisect.bisect_right(times, moment)
        return versions[index - 1] if index else None

    def serve(self, handler, body):
        if handler.path == "/deploy":
            self.deploy(**json.loads(body))
            handler.answer(200, {})
        elif handler.path == "/told":
            with self.lock:
                handler.answer(200, {"live": self.live, "posts": self.posts,
                                     "effective": self.effective})
        else:
            super().serve(handler, body)


class Errors(Part):
    """Refuses what the real one would."""

    def __init__(self, site):
        self.site = site
        super().__init__()

    def errors(self, service, moment):
        version = self.site.live_at(service, moment)
        return None if version is None else \
            "50" if version.startswith("bad") else "0"

    def serve(self, handler, body):
        try:
            form = dict(urllib.parse.parse_qsl(body.decode(), True, True))
            assert handler.command == "POST", "a form is posted here"
            assert form.get("query") == QUERY, "unknown query"
            if handler.path == "/api/v1/query":
                kind, result = "vector", self.now(float(form["time"]))
            else:
                assert handler.path == "/api/v1/query_range", "unknown path"
                kind, result = "matrix", self.then(
                    float(form["start"]), float(form["end"]),
                    float(form["step"]))
        except (AssertionError, KeyError, ValueError) as error:
            handler.answer(400, {"status": "error", "errorType": "bad_data",
                                 "error": str(error)})
            return
        handler.answer(200, {"status": "success", "data": {
            "resultType": kind, "result": result}})

    def now(self, moment):
        return [{"metric": {"service": service}, "value": [moment, errors]}
                for service in list(self.site.past)
                if (errors := self.errors(service, moment)) is not None]

    def then(self, start, end, step):
        assert start <= end and step > 0, "no range"
        assert (end - start) / step < POINTS_MAX, "too many points"
        moments = [start + i * step
                   for i in range(int((end - start) / step + 1e-9) + 1)]
        return [{"metric": {"service": service}, "values": values}
                for service in list(self.site.past)
                if (values := [[moment, errors] for moment in moments if
                               (errors := self.errors(service, moment))
                               is not None])]


def main():
    site = Site()
    print(site.url, Errors(site).url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
