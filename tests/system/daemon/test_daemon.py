#!/usr/bin/python3
"""The process itself: stopped, started twice, starved, robbed of its files."""
import os
import signal
import subprocess
import unittest

import world as stage
from world import Story, main, until


class Ends(Story):
    def terminated_when(self, event):
        """SIGTERM at a moment of a rollback; the next one goes on."""
        world = self.open()
        first = world.start()
        world.hooks.append(lambda said: said["event"] == event and
                           first.process.send_signal(signal.SIGTERM))
        number = world.deploy_bad("shop")
        self.assertEqual(first.ended(), 0, first.said())
        self.assertTrue(first.all("stopped"), first.said())
        world.start()
        until("recovery", lambda: world.release(number)["rollback"]["state"]
              == "recovered")
        self.check_reverted("shop")

    def test_at_the_intent(self):
        self.terminated_when("rollback.intended")

    def test_at_the_request(self):
        self.terminated_when("rollback.requested")

    def test_while_it_is_in_progress(self):
        self.terminated_when("rollback.in_progress")

    def test_while_it_is_verified(self):
        self.terminated_when("rollback.verifying")

    def test_while_the_deployment_api_hangs(self):
        """It does not wait for what may never answer."""
        world = self.open(timeout="20s", deadline="60s")
        first = world.start()
        world.deployer.misbehave("shop", "hang_after")
        world.deployer.moments["post", "shop"] = \
            lambda: first.process.send_signal(signal.SIGTERM)
        world.deploy_bad("shop")
        self.assertEqual(first.ended(), 0, first.said())
        world.start()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)


class Stop(Story):
    def test_the_file_holds_a_rollback_back(self):
        world = self.open()
        world.start()
        world.write("STOP", "")
        world.daemon.saw("stop_file", stands="yes")
        number = world.deploy_bad("shop")
        self.page("shop", "the STOP file stands")
        self.assertIn("STOP", world.must("status"))
        self.assertIn("STOP", world.must("rollback", number, "--reason",
                                         "now", code=1))
        world.restart()
        world.look_on(8)
        self.check_untouched("shop")
        (world.folder / "STOP").unlink()
        world.daemon.saw("stop_file", stands="no")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_it_comes_between_the_intent_and_the_request(self):
        world = self.open()
        world.start()
        world.deployer.moments["has", "shop"] = lambda: (
            world.write("STOP", ""),
            world.daemon.saw("stop_file", stands="yes"))
        world.deploy_bad("shop")
        world.daemon.saw("rollback.refused", code="stop")
        self.check_untouched("shop")
        (world.folder / "STOP").unlink()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)


class Files(Story):
    def test_a_second_one_on_the_same_database(self):
        world = self.open()
        world.start()
        done = subprocess.run(
            [stage.BINARY, "serve", "--config",
             world.folder / "lastgood.yaml"], capture_output=True, text=True,
            timeout=stage.PATIENCE, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn(f"another lastgood (process {world.daemon.process.pid})",
                      done.stderr)
        self.assertEqual(world.get("/healthz")[0], 200)
        world.deploy_bad("shop")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_the_lock_of_a_killed_one_is_free(self):
        world = self.open()
        world.start()
        for _ in range(3):
            world.restart()
        world.gate("shop", code=0)

    def test_a_journal_that_was_changed_by_hand(self):
        """`verify` says where, and nothing starts on it."""
        world = self.open()
        world.start()
        world.deploy("shop", "2.0")
        self.assertEqual(world.daemon.terminate(), 0)
        database = world.folder / "state" / "lastgood.db"
        script = ("import sqlite3,sys; db=sqlite3.connect(sys.argv[1]); "
                  "[db.execute(f'update {t} set payload=replace(payload,"
                  "char(50)||char(46)||char(48),char(57)||char(46)||char(57))')"
                  " for t, in db.execute(\"select name from sqlite_master where"
                  " type='table' and sql like '%payload%'\").fetchall()]; "
                  "db.commit()")
        subprocess.run([stage.sys.executable, "-c", script, database],
                       check=True)
        text = world.must("verify", database, code=1)
        self.assertRegex(text, r"the journal is damaged: record \d+")
        daemon = stage.Daemon(world)
        world.daemons.append(daemon)
        self.assertEqual(daemon.ended(), 1, daemon.said())
        self.assertIn("the journal is damaged", daemon.lines[-1])
        database.unlink()

    def test_the_database_is_removed_while_it_runs(self):
        """It promises nothing more, and a new one begins with what is there:
        an empty ledger, which knows of no bad release."""
        world = self.open()
        world.start()
        world.deploy_bad("shop")
        world.daemon.saw("rollback.verifying")
        for name in os.listdir(world.folder / "state"):
            (world.folder / "state" / name).unlink()
        world.daemon.saw("store.down", error="removed or replaced")
        text = world.must("register", "shop", "2.1", "--environment",
                          "production", code=1)
        self.assertIn("nothing can be recorded now", text)
        self.assertEqual(world.get("/healthz")[0], 503)
        world.restart()
        world.daemon.saw("release.registered", origin="discovered",
                         version="1.0")
        world.look_on()
        self.check_reverted("shop", posts=1)

    @unittest.skipUnless(os.geteuid() == 0, "needs another user")
    def test_a_folder_that_it_may_not_write(self):
        world = self.open()
        for path in (world.folder, *world.folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

        def become_nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)

        daemon = stage.Daemon(world, prepare=become_nobody)
        world.daemons.append(daemon)
        self.assertEqual(daemon.ended(), 1, daemon.said())
        self.assertRegex(daemon.lines[-1],
                         r"^lastgood serve: .*/state/.*[Pp]ermission denied")


if __name__ == "__main__":
    main()
