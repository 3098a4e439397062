#!/usr/bin/python3
"""A deployment API that freezes in the middle of a revert (SIGSTOP): what it
was told lies in its socket and may happen any time later."""
import json
import pathlib
import signal
import subprocess
import sys

from world import PATIENCE, Story, fetch, main, until

PEERS = pathlib.Path(__file__).resolve().parents[2] / "peers"


class Alone:
    """peers/alone.py as a world's deployer; what it last told is kept."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, "-B", PEERS / "alone.py"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            start_new_session=True)
        self.url = self.process.stdout.readline().split()[0]
        self.last = {"live": {}, "posts": [], "effective": []}

    def told(self):
        status, body = fetch(self.url + "/told", timeout=0.2)
        self.last = json.loads(body) if status == 200 else self.last
        return self.last

    @property
    def live(self):
        return self.told()["live"]

    def deploy(self, service, version):
        fetch(self.url + "/deploy", json.dumps(
            {"service": service, "version": version}).encode())

    def posts_of(self, service):
        return [one for one in self.told()["posts"]
                if one["service"] == service]

    def effective_of(self, service):
        return [one for one in self.told()["effective"]
                if one["service"] == service]

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.thaw()
        self.process.stdin.close()
        self.process.wait(PATIENCE)


class Frozen(Story):
    def begin(self, event, deadline):
        """It is frozen when the daemon says @event of the rollback."""
        # Of cart nothing is heard but its looks, by which time goes on.
        world = self.open("shop", "cart", deployer=Alone(), timeout="1s",
                          deadline=deadline)
        frozen = []

        def freeze(said):
            if said["event"] == event and not frozen:
                frozen.append(said)
                world.deployer.freeze()

        world.hooks.append(freeze)
        world.start()
        number = world.deploy_bad("shop")
        until("it is frozen", lambda: frozen)
        return world, number

    def thawed_in_time(self, event):
        world, number = self.begin(event, "60s")
        world.look_on(4)
        self.assertNotIn(world.release(number)["rollback"]["state"],
                         ("failed", "recovered"))
        world.deployer.thaw()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop")

    def test_before_it_is_asked(self):
        self.thawed_in_time("rollback.intended")

    def test_when_it_was_asked(self):
        self.thawed_in_time("rollback.requested")

    def test_while_it_rolls_out(self):
        self.thawed_in_time("rollback.in_progress")

    def test_until_the_deadline(self):
        """The end is recorded and paged without an answer.  What was posted
        may still happen then, once; nothing more is asked of it."""
        world, number = self.begin("rollback.requested", "10s")
        end = world.daemon.saw("rollback.failed")
        self.assertIn(end["code"], ("unobservable", "unreachable"), end)
        self.page("shop", "failed")
        self.assertEqual(world.release(number)["rollback"]["state"], "failed")
        world.deployer.thaw()
        posts = until("what it was told", lambda: world.deployer.posts_of(
            "shop"))
        self.assertEqual(len({post["key"] for post in posts}), 1, posts)
        world.look_on(5)
        self.assertLessEqual(len(world.deployer.effective_of("shop")), 1)
        self.assertEqual(len(world.daemon.all("rollback.proposed")), 1)


if __name__ == "__main__":
    main()
