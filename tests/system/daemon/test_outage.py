#!/usr/bin/python3
"""The disk of the journal is really full, and users are hurt: it goes back."""
import os
import shutil
import subprocess

from world import Story, main, until

DISK = "12m"  # the journal, its log, the reserve


class Outage(Story):
    def open_on_small_disk(self):
        """A world whose journal lies on a disk of its own."""
        if os.geteuid() != 0:
            self.skipTest("only root may mount a small disk")
        ends = []
        self.addCleanup(lambda: [end() for end in ends])  # after the world's
        world = self.open()
        state = world.folder / "state"
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs",
                        state], check=True)
        ends.append(lambda: subprocess.run(["umount", state], check=True))
        ends.append(lambda: shutil.rmtree(world.folder, ignore_errors=True))
        return world

    def fill(self):
        """Until not one more byte fits."""
        path = self.world.folder / "state" / "filler"
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        size = 1 << 20
        while size > 0:
            try:
                if os.write(file, bytes(size)) < size:
                    size //= 2
            except OSError:
                size //= 2
        os.close(file)
        return path

    def breach(self):
        """A good and a watched release; the disk fills up; users are hurt."""
        world = self.open_on_small_disk()
        world.start()
        world.warm()
        world.adopt("shop")
        number = world.deploy("shop", "2.0")
        world.daemon.saw("release.moved", version="2.0", state="watching")
        filler = self.fill()
        world.make_bad("shop", "2.0")
        world.daemon.saw("store.down", error="the disk is full")
        until("the revert", lambda: world.deployer.effective_of("shop"))
        return world, number, filler

    def has_recovered(self, number):
        rollback = self.world.release(number)["rollback"]
        return rollback and rollback["state"] == "recovered"

    def check_finished(self, number):
        """One revert, and the journal tells all of it."""
        world = self.world
        until("the end", lambda: self.has_recovered(number))
        self.page("shop", "^recovered: ")
        self.check_reverted("shop", posts=1)
        why = world.json(f"/v1/releases/{number}/why")
        moves = [event.get("state") for event in why["timeline"]
                 if event["kind"] in ("rollback_proposed", "rollback_moved")]
        for state in ("intended", "applied", "recovered"):
            self.assertEqual(moves.count(state), 1, why["timeline"])

    def test_it_goes_back_and_remembers_later(self):
        world, number, filler = self.breach()
        # Nothing goes forward meanwhile.
        text = world.must("register", "shop", "3.0", "--environment",
                          "production", code=1)
        self.assertIn("the disk is full", text)
        world.gate("shop", code=4)
        self.page("shop", "rolling back|rolled back|going back|reverting")
        self.assertFalse(world.daemon.all("store.up"))
        filler.unlink()
        world.daemon.saw("store.up")
        self.check_finished(number)
        self.assertEqual(world.daemon.terminate(), 0)
        text = world.must("verify", world.folder / "state" / "lastgood.db")
        self.assertRegex(text, r"records +\d+")

    def test_killed_in_the_middle_it_reverts_no_second_time(self):
        world, number, filler = self.breach()
        world.daemon.kill()
        # It does not begin to guess while it cannot take the reserve in.
        daemon = world.run("serve", "--config", world.folder / "lastgood.yaml")
        self.assertEqual(daemon[0], 1, daemon[1])
        self.assertRegex(daemon[1], "the disk is full|No space left|disk I/O|"
                         "disk answers with errors")
        filler.unlink()
        # The reader says that there is more; the start takes it in.
        database = world.folder / "state" / "lastgood.db"
        self.assertRegex(world.must("verify", database), r"reserve  \d+ more")
        world.start()
        self.assertNotIn("reserve", world.must("verify", database))
        self.check_finished(number)


if __name__ == "__main__":
    main()
