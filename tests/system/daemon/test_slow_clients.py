#!/usr/bin/python3
"""A thousand clients that hold the HTTP door open and finish nothing."""
import os
import resource
import selectors
import socket
import threading

from world import Story, fetch, main, until

CLIENTS = 1000
# ASan's quarantine would hide what is kept and what is given back.
CALM = {"ASAN_OPTIONS": "quarantine_size_mb=1"}
GROWTH_MAX = 96 * 1024 * 1024

HALF = b"GET /v1/stat"
BODY = b"POST /v1/releases HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n" \
       b"Content-Type: application/json\r\n\r\n{"
DEAF = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 400


class Attack(threading.Thread):
    """Keeps CLIENTS connections, of three kinds, until it has enough; whoever
    is cut comes again."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.enough = port, threading.Event()
        self.sockets, self.cut, self.made = selectors.DefaultSelector(), 0, 0
        self.deaf = []  # asked for more than they will ever read

    def connect(self):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        client.connect_ex(("127.0.0.1", self.port))
        kind = (HALF, BODY, DEAF)[self.made % 3]
        self.made += 1
        self.sockets.register(client, selectors.EVENT_WRITE, kind)

    def serve(self, key):
        """Say what is to be said; a deaf one never reads, the others only
        hear that they were cut."""
        client, words = key.fileobj, key.data
        try:
            if words:
                said = client.send(words[:8192])
                words = words[said:]
            elif not client.recv(4096):
                raise ConnectionError
        except BlockingIOError:
            pass
        except OSError:
            self.sockets.unregister(client)
            client.close()
            self.cut += 1
            return
        if words:
            self.sockets.modify(client, selectors.EVENT_WRITE, words)
        elif key.data and key.data.endswith(DEAF[-30:]):
            self.sockets.unregister(client)
            self.deaf.append(client)
        else:
            self.sockets.modify(client, selectors.EVENT_READ, b"")

    def run(self):
        while not self.enough.is_set():
            while len(self.sockets.get_map()) + len(self.deaf) < CLIENTS + 50:
                self.connect()
            for key, _ in self.sockets.select(0.2):
                self.serve(key)
            self.trickle()
        for key in list(self.sockets.get_map().values()):
            key.fileobj.close()
        for client in self.deaf:
            client.close()

    def trickle(self):
        """One more byte of each body; no more than is announced comes."""
        for key in list(self.sockets.get_map().values()):
            if key.data == b"":
                try:
                    key.fileobj.send(b" ")
                except OSError:
                    pass  # heard when it is read


class Slow(Story):
    def resident(self):
        path = f"/proc/{self.world.daemon.process.pid}/statm"
        with open(path, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_they_hold_nothing_up(self):
        world = self.open()
        world.start(environment=CALM)
        world.warm()
        world.adopt("shop")
        before = self.resident()
        attack = Attack(world.port)
        attack.start()
        self.addCleanup(attack.enough.set)
        full = world.daemon.saw("api.full")
        self.assertIn(f"{CLIENTS} connections are open, and more are not "
                      "taken", full["text"])
        # A release goes bad; its pipeline uses the other door.
        world.make_bad("shop", "2.0")
        world.deployer.deploy("shop", "2.0")
        world.must("register", "shop", "2.0", "--environment", "production",
                   "--data-change", "none", "--server",
                   f"unix:{world.folder}/socket")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        self.assertLess(self.resident() - before, GROWTH_MAX)
        # They are cut, again and again, and so others get in between.
        until("many are cut", lambda: attack.cut > CLIENTS / 2)
        self.assertEqual(fetch(world.url + "/healthz")[0], 200)
        self.assertEqual(len(world.daemon.all("api.full")), 1)
        self.assertEqual(world.daemon.all("api.http"), [])
        attack.enough.set()
        attack.join()
        world.gate("shop", code=3)


if __name__ == "__main__":
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (min(8192, limit[1]), limit[1]))
    main()
