#!/usr/bin/python3
"""The users of the demo: evenly spaced requests at a rate that can ramp.

Reads lines "RATE SECONDS" (reach RATE per second within SECONDS) from standard
input; writes one JSON line a second: {"rate", "ok", "errors"}; ends at EOF.
"""
import asyncio
import json
import signal
import sys
import time

PREFERENCES_EVERY = 120  # one request in so many asks for include_preferences


class Load:
    def __init__(self, port):
        self.port, self.sent, self.ok, self.errors = port, 0, 0, 0
        self.ramp = (0.0, 0.0, 0.0, 0.0)  # from rate, to rate, begin, end

    def rate(self, now):
        low, high, begin, end = self.ramp
        if now >= end:
            return high
        return low + (high - low) * (now - begin) / (end - begin)

    async def request(self):
        self.sent += 1
        query = ("?include_preferences=true"
                 if self.sent % PREFERENCES_EVERY == 0 else "")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.write(f"GET /users/7{query} HTTP/1.0\r\n\r\n".encode())
            answer = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            good = answer.split(b" ", 2)[1:2] == [b"200"]
        except (OSError, asyncio.TimeoutError):
            good = False
        self.ok, self.errors = self.ok + good, self.errors + (not good)

    async def send(self):
        due, waiting = time.monotonic(), set()
        while True:
            now = time.monotonic()
            rate = self.rate(now)
            if rate <= 0:
                due = now
            elif due <= now:
                due += 1 / rate
                task = asyncio.ensure_future(self.request())
                waiting.add(task)
                task.add_done_callback(waiting.discard)
                continue
            await asyncio.sleep(max(0.001, min(due - now, 0.05)))

    async def report(self):
        while True:
            await asyncio.sleep(1)
            print(json.dumps({"rate": round(self.rate(time.monotonic()), 1),
                              "ok": self.ok, "errors": self.errors}), flush=True)
            self.ok = self.errors = 0

    def obey(self):
        line = sys.stdin.readline()
        if not line:
            asyncio.get_running_loop().stop()
            return
        rate, seconds = map(float, line.split())
        now = time.monotonic()
        self.ramp = (self.rate(now), rate, now, now + seconds)


def main():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    loop = asyncio.new_event_loop()
    load = Load(int(sys.argv[1]))
    loop.add_reader(sys.stdin.fileno(), load.obey)
    loop.create_task(load.send())
    loop.create_task(load.report())
    loop.run_forever()


main()
