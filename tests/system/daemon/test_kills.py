#!/usr/bin/python3
"""kill -9 at every moment of a rollback: at most one revert, nothing lost."""
import threading

from world import Story, main, until


class Kills(Story):
    """One story for each moment; they are made below."""

    def finish(self, number, kills=1):
        """After the restart: finished, once, with everything remembered."""
        world = self.world
        until("the end", lambda: self.has_recovered(number))
        self.check_reverted("shop")
        why = world.json(f"/v1/releases/{number}/why")
        moves = [event.get("state") for event in why["timeline"]
                 if event["kind"] in ("rollback_proposed", "rollback_moved")]
        for state in ("intended", "applied", "recovered"):
            self.assertEqual(moves.count(state), 1, why["timeline"])
        self.assertEqual(why["release"]["state"], "reverted")
        self.assertEqual(world.json("/v1/status")["counts"]["freezes"], 1)
        self.assertEqual(len(world.daemons), kills + 1)
        self.page("shop", "^recovered: ")

    def has_recovered(self, number):
        rollback = self.world.release(number)["rollback"]
        return rollback and rollback["state"] == "recovered"

    def killed_then_finished(self, arm):
        """@arm is called with a function that kills, once."""
        world = self.open()
        first, dead = world.start(), threading.Event()

        def kill():
            if not dead.is_set():
                dead.set()
                first.process.kill()

        world.warm()
        arm(world, kill)
        number = world.deploy_bad("shop")
        until("the kill", dead.is_set)
        first.ended()
        world.start()
        self.finish(number)

    def when_said(self, event):
        """Killed as soon as the log says it."""
        self.killed_then_finished(lambda world, kill: world.hooks.append(
            lambda said: said["event"] == event and kill()))

    def when_asked(self, moment):
        """Killed while the deployment API serves it."""
        def arm(world, kill):
            moments = world.deployer.moments
            if moment == "live":  # of the rollback, which comes after `has`
                moments["has", "shop"] = lambda: moments.update(
                    {("live", "shop"): kill})
            else:
                moments[moment, "shop"] = kill
        self.killed_then_finished(arm)

    def test_again_and_again(self):
        """A daemon that never lives long gets there all the same."""
        world = self.open()
        world.start()
        number = world.deploy_bad("shop")
        kills = 0
        while not self.has_recovered(number) and kills < 25:
            # It dies earlier and later.
            threading.Event().wait(0.4 + 0.9 * (kills % 5))
            world.restart()
            kills += 1
        self.finish(number, kills)


for name in ("incident.opened", "rollback.proposed", "rollback.intended",
             "rollback.requested", "rollback.in_progress", "rollback.applied",
             "rollback.verifying", "rollback.recovered"):
    setattr(Kills, "test_when_it_says_" + name.replace(".", "_"),
            lambda self, name=name: self.when_said(name))
for name in ("has", "live", "post", "posted"):
    setattr(Kills, f"test_while_asking_{name}",
            lambda self, name=name: self.when_asked(name))


class Registrations(Story):
    def test_none_that_was_acknowledged_is_lost(self):
        services = ("shop", "cart", "search")
        world = self.open(*services)
        world.start()
        known, stop = {}, threading.Event()

        def register(service):
            for number in range(40):
                key = f"{service}-{number}"
                body = {"service": service, "environment": "production",
                        "version": f"2.{number}", "data_change": "none"}
                while key not in known and not stop.is_set():
                    status, said = world.post("/v1/releases", body,
                                              Idempotency_Key=key)
                    if status in (200, 201):
                        known[key] = body, said["release"]
                    elif status not in (0, 503):
                        known[key] = body, f"{status}: {said}"

        threads = [threading.Thread(target=register, args=(service,))
                   for service in services]
        for thread in threads:
            thread.start()
        for kill in range(6):
            until("some more", lambda kill=kill: len(known) >= 12 * (kill + 1))
            world.restart()
        for thread in threads:
            thread.join()
        stop.set()
        world.restart()
        self.assertEqual(len(known), 120)
        for key, (body, number) in known.items():
            status, said = world.post("/v1/releases", body,
                                      Idempotency_Key=key)
            self.assertEqual((status, said["release"]), (200, number), said)


if __name__ == "__main__":
    main()
