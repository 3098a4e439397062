"""What every test of the real binary needs: to wait, to ask, to serve HTTP in a
thread, and to run a program whose every line is kept.

Python's standard library only; everything on free ports of the loopback
address.  A test program is given the binary as its first argument.
"""
import http.client
import http.server
import json
import os
import re
import signal
import socket
import struct
import subprocess
import threading
import time
import urllib.error
import urllib.request

PATIENCE = 90  # seconds until a story that waits gives up
SANITIZER = re.compile(r"(Address|Leak|Thread|UndefinedBehavior)Sanitizer|"
                       r"runtime error:|Assertion .* failed")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, ask, patience=PATIENCE):
    """Wait until ask() answers something true; it is returned."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.03)
    raise AssertionError(f"never came: {what}")


def fetch(url, body=None, headers=None, timeout=PATIENCE):
    """Status and body of an answer; status 0: there was none."""
    request = urllib.request.Request(url, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error)


# ---- servers in threads ----------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 120

    def log_message(self, *_):
        pass

    def serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.server.part.serve(self, self.rfile.read(length))

    do_GET = do_POST = do_PUT = serve

    def answer(self, status, body, kind="application/json", headers=()):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
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

    def close_early(self):
        """Promise more than comes, then reset the connection."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   struct.pack("ii", 1, 0))
        self.connection.close()

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
    request_queue_size = 64

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
        pass  # a client that left: daemons are killed on purpose


class Part:
    """A server in a thread of its own; it can go away and come back.

    What is served is in `serve(handler, body)`.
    """

    def __init__(self):
        self.lock, self.port = threading.RLock(), 0
        self.start()

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.part = self
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
        return f"http://127.0.0.1:{self.port}"


# ---- a process -------------------------------------------------------------

class Process:
    """A program that runs; every line that it says is kept."""

    def __init__(self, arguments, prepare=None, environment=None):
        self.lines = []
        self.process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=prepare, env={**os.environ, **(environment or {})})
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for raw in self.process.stderr:
            self.hear(raw.decode(errors="replace").rstrip("\n"))

    def hear(self, line):
        self.lines.append(line)

    def said(self):
        return "\n".join(self.lines)

    def is_running(self):
        return self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.ended()

    def terminate(self):
        """End it as a service manager does: its exit code."""
        self.signal(signal.SIGTERM)
        return self.ended()

    def ended(self):
        """Its exit code, with everything read that it said."""
        code = self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        self.process.stderr.close()
        return code
