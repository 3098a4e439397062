#!/usr/bin/python3
"""user-service of the demo: every request borrows a real database connection.

Version 2.4.0 does not give it back when a request asks for include_preferences;
every other version does.  Exports the usual metrics at /metrics.
"""
import http.server
import queue
import signal
import socket
import sys
import threading

import psycopg2

LEAKING = {"2.4.0"}
HOLD_SECONDS = 0.25  # what a profile query takes
WAIT_SECONDS = 0.5   # how long a request waits for a connection


class Pool:
    """At most `size` connections, lent one at a time."""

    def __init__(self, dsn, size):
        self.size, self.in_use, self.lock = size, 0, threading.Lock()
        self.idle = queue.Queue()
        for _ in range(size):
            connection = psycopg2.connect(dsn)
            connection.autocommit = True
            self.idle.put(connection)

    def borrow(self):
        connection = self.idle.get(timeout=WAIT_SECONDS)
        with self.lock:
            self.in_use += 1
        return connection

    def give_back(self, connection):
        with self.lock:
            self.in_use -= 1
        self.idle.put(connection)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/metrics":
            return self.answer(200, self.server.metrics(), "text/plain")
        code = self.profile("include_preferences" in self.path)
        self.server.count(code)
        self.answer(code, "{}\n", "application/json")

    def profile(self, include_preferences):
        try:
            connection = self.server.pool.borrow()
        except queue.Empty:
            return 503
        try:
            with connection.cursor() as cursor:
                cursor.execute("select pg_sleep(%s)", (HOLD_SECONDS,))
        except psycopg2.Error:
            return 500
        if not (include_preferences and self.server.version in LEAKING):
            self.server.pool.give_back(connection)
        return 200

    def answer(self, code, body, kind):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


class Service(http.server.ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = False  # requests under way finish when it ends

    def __init__(self, port, version, pool):
        self.version, self.pool = version, pool
        self.codes, self.lock = {200: 0}, threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def server_bind(self):
        # The next version listens before this one goes.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()

    def count(self, code):
        with self.lock:
            self.codes[code] = self.codes.get(code, 0) + 1

    def metrics(self):
        with self.lock:
            codes = dict(self.codes)
        lines = ["# TYPE http_requests_total counter"]
        for code, count in sorted(codes.items()):
            lines.append(f'http_requests_total{{code="{code}"}} {count}')
        lines += ["# TYPE db_pool_connections_in_use gauge",
                  f"db_pool_connections_in_use {self.pool.in_use}",
                  "# TYPE db_pool_connections_max gauge",
                  f"db_pool_connections_max {self.pool.size}"]
        return "\n".join(lines) + "\n"


def main():
    version, port, size, dsn = (sys.argv[1], int(sys.argv[2]),
                                int(sys.argv[3]), sys.argv[4])
    service = Service(port, version, Pool(dsn, size))
    # shutdown() must not be called from the serving thread.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(
        target=service.shutdown).start())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("ready", flush=True)
    service.serve_forever(poll_interval=0.05)
    service.server_close()


main()
