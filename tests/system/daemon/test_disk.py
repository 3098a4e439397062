#!/usr/bin/python3
"""The journal's disk is full, read-only or broken, its file moved away: said
once, paged when it lasts, refused at the door, and nothing lost."""
import errno
import os
import pathlib
import shutil
import subprocess
import threading
import unittest

import world as stage
from world import Story, main, until

SHIM = pathlib.Path(stage.BINARY).parent / "tests/system/daemon/libdisk.so"


class Registering(threading.Thread):
    """A pipeline that tries again until it is answered with 2xx."""

    def __init__(self, world):
        super().__init__(daemon=True)
        self.world, self.promised, self.refused = world, {}, []
        self.enough = threading.Event()

    def body(self, number):
        return {"service": "cart", "environment": "production",
                "version": f"3.{number}", "data_change": "none"}

    def register(self, number):
        return self.world.post("/v1/releases", self.body(number),
                               Idempotency_Key=f"cart-{number}")

    def run(self):
        number = 0
        while not self.enough.wait(0.5):
            status, said = self.register(number)
            if status in (200, 201):
                self.promised[number] = said["release"]
                number += 1
            else:
                self.refused.append((status, said))


class Disk(Story):
    def begin(self):
        """A world in which one registers all the time; its disk obeys."""
        world = self.open("shop", "cart")
        world.start(environment=self.obeying(world))
        self.register(world)
        return world

    @staticmethod
    def obeying(world):
        return {"LD_PRELOAD": str(SHIM),
                "DISK_ORDERS": str(world.folder / "orders"),
                "ASAN_OPTIONS": "verify_asan_link_order=0"}

    def register(self, world):
        self.client = Registering(world)
        self.client.start()
        self.addCleanup(self.client.enough.set)
        self.some_more()

    def some_more(self):
        """Wait for promises made from now on."""
        before = len(self.client.promised)
        until("promises", lambda: len(self.client.promised) > before + 1)

    def check_down(self, world, error):
        """Said once, with its reason; refused; paged when it lasts."""
        world.daemon.saw("store.down", error=error)
        self.assertEqual(world.get("/healthz")[0], 503)
        text = world.must("register", "shop", "3.0", "--environment",
                          "production", code=1)
        self.assertRegex(text, r"\Alastgood[^\n]*nothing can be recorded now: "
                         r"[^\n]*\n\Z")
        self.assertRegex(text, error)
        until("a page", lambda: [page for page in list(world.pager.pages) if
                                 "cannot do its work" in page["text"] and
                                 "lastgood.db" in page["text"]])
        self.assertEqual(len(world.daemon.all("store.down")), 1,
                         world.daemon.said())
        until("the one who waits is refused", lambda: self.client.refused)
        status, said = self.client.refused[-1]
        self.assertEqual((status, said["status"]), (503, 503), said)
        self.assertIsNone(world.daemon.process.poll())

    def check_up(self, world):
        """It goes on by itself, and what was promised is there."""
        world.daemon.saw("store.up")
        self.some_more()
        world.deploy_bad("shop")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        self.client.enough.set()
        self.client.join()
        world.restart()
        # As many as a service's ledger surely remembers.
        for number, release in list(self.client.promised.items())[-40:]:
            status, said = self.client.register(number)
            self.assertEqual((status, said["release"]), (200, release), said)

    def fails(self, order, error):
        """All the time that the disk is ordered so."""
        world = self.begin()
        world.write("orders", order)
        self.check_down(world, error)
        (world.folder / "orders").unlink()
        self.check_up(world)

    def test_full(self):
        self.fails(f"write {errno.ENOSPC}", "the disk is full")

    def test_read_only(self):
        self.fails(f"write {errno.EROFS}", "answers with errors")

    def test_writes_fail(self):
        self.fails(f"write {errno.EIO}", "answers with errors")

    def test_syncs_fail(self):
        self.fails(f"sync {errno.EIO}", "did not confirm what was written")

    def test_everything_fails(self):
        self.fails("".join(f"{what} {errno.EIO}\n" for what in
                           ("read", "write", "sync")), "answers with errors")

    def test_moved_away_and_put_back(self):
        world = self.begin()
        state, away = world.folder / "state", world.folder / "away"
        database = state / "lastgood.db"
        os.rename(database, away)
        self.check_down(world, "removed or replaced")
        os.rename(away, database)
        self.check_up(world)

    def test_replaced_by_a_copy(self):
        """A restored backup is another file: it promises nothing more until
        it is started on it."""
        world = self.begin()
        database = world.folder / "state" / "lastgood.db"
        copy = world.folder / "copy"
        shutil.copy(database, copy)
        os.rename(copy, database)
        self.check_down(world, "removed or replaced")

    def test_it_does_not_start_on_a_disk_that_cannot_be_read(self):
        world = self.begin()
        self.client.enough.set()
        self.client.join()
        self.assertEqual(world.daemon.terminate(), 0)
        world.write("orders", f"read {errno.EIO}")
        daemon = stage.Daemon(world, environment=self.obeying(world))
        world.daemons.append(daemon)
        self.assertEqual(daemon.ended(), 1, daemon.said())
        self.assertRegex(daemon.lines[-1],
                         r"^lastgood serve: .*lastgood\.db.*: ")

    @unittest.skipUnless(os.geteuid() == 0, "needs a file system of its own")
    def test_a_file_system_that_is_really_full(self):
        world = self.open("shop", "cart")
        state = world.folder / "state"
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m",
                               "lastgood-test", state], check=False,
                              capture_output=True, text=True)
        if done.returncode != 0:
            self.skipTest("may not mount: " + done.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", state], check=True)
        world.start()
        self.register(world)
        ballast = os.open(state / "ballast", os.O_WRONLY | os.O_CREAT)
        with self.assertRaisesRegex(OSError, "No space left"):
            while True:
                os.write(ballast, b"x" * 4096)
        self.check_down(world, "the disk is full")
        os.close(ballast)
        (state / "ballast").unlink()
        self.check_up(world)


if __name__ == "__main__":
    main()
