#!/usr/bin/python3
"""Commands that come twice, late, for what is over or was never there, and by
several people at once; registrations out of their time."""
import concurrent.futures

from world import Story, main, until

PLACE = ("--environment", "production")


class Twice(Story):
    def refused(self, pattern, *words):
        """Exit 1 and one line that says why."""
        text = self.world.must(*words, code=1)
        self.assertRegex(text, r"\Alastgood[^\n]*: [^\n]+\n\Z")
        self.assertRegex(text, pattern)

    def watched(self, version="2.0"):
        world = self.world
        number = world.deploy("shop", version)
        until(f"{version} is watched",
              lambda: world.release(number)["state"] == "watching")
        return number

    def begin(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        return world

    def test_said_twice_is_done_once(self):
        world = self.begin()
        self.assertIn("already", world.adopt("shop"))
        number = self.watched()
        self.assertEqual(world.register("shop", "2.0"), number)
        world.must("hold", number, "--reason", "looking")
        self.assertIn("already", world.must("hold", number, "--reason",
                                            "me too"))
        world.must("resume", number, "--reason", "seen")
        self.refused("not held", "resume", number, "--reason", "me too")
        for hours in ("1h", "2h"):
            world.must("freeze", "shop", *PLACE, "--for", hours, "--reason",
                       "database work")
        world.must("thaw", "shop", *PLACE, "--reason", "done")
        self.assertIn("are not frozen", world.must(
            "thaw", "shop", *PLACE, "--reason", "me too"))
        world.gate("shop", code=0)

    def test_three_people_roll_back_at_once(self):
        world = self.begin()
        number = self.watched()
        people = ("ann", "bob", "cy")
        with concurrent.futures.ThreadPoolExecutor(len(people)) as pool:
            said = list(pool.map(lambda who: world.post(
                f"/v1/releases/{number}/rollback",
                {"reason": f"{who} saw errors"}, Lastgood_By=who), people))
        for status, answer in said:  # joined, or told so
            self.assertIn(status, (202, 409), answer)
            self.assertTrue(status == 202 or "under way" in answer["detail"])
        self.assertEqual(len({answer["rollback"] for status, answer in said
                              if status == 202}), 1, said)
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_two_people_hold_and_roll_back(self):
        """Whatever comes first, there is one end, and at most one revert."""
        world = self.begin()
        number = self.watched()
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            codes = [job.result()[0] for job in [
                pool.submit(world.run, order, number, "--reason", "errors")
                for order in ("hold", "rollback")]]
        self.assertEqual(codes[1], 0)
        self.assertIn(codes[0], (0, 1))
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_late_for_a_rollback(self):
        world = self.open()
        world.start()
        number = world.deploy_bad("shop")
        world.daemon.saw("rollback.requested")
        self.refused("under way", "rollback", number, "--reason", "me too")
        world.daemon.saw("rollback.recovered")
        self.refused("not live", "rollback", number, "--reason", "late")
        self.refused("held", "hold", number, "--reason", "late")
        self.refused("not held", "resume", number, "--reason", "late")
        incident = world.release(number)["incident"]["id"]
        status, said = world.post(f"/v1/incidents/{incident}/close",
                                  {"reason": "late"})
        self.assertEqual((status, said["outcome"]), (200, "already"), said)
        self.check_reverted("shop", posts=1)

    def test_for_what_was_never_there(self):
        world = self.begin()
        for order in ("rollback", "hold", "resume"):
            self.refused("no .*release", order, "9999", "--reason", "x")
        for path in ("/v1/releases/9999", "/v1/incidents/9999",
                     "/v1/releases/9999/why", "/v1/releases/0",
                     "/v1/releases/-1", "/v1/releases/99999999999999999999"):
            self.assertEqual(world.get(path)[0], 404, path)
        status, said = world.post("/v1/incidents/9999/close", {"reason": "x"})
        self.assertEqual(status, 404, said)
        self.check_untouched("shop")


class Times(Story):
    def test_registered_out_of_time(self):
        world = self.open()
        world.start()
        world.warm()
        live = world.deploy("shop", "2.0")
        until("2.0 is watched",
              lambda: world.release(live)["state"] == "watching")
        for moment, said in (("2099-01-01T00:00:00Z", "2m ahead"),
                             ("1999-01-01T00:00:00Z", "more than a year")):
            text = world.must("register", "shop", "1.8", *PLACE,
                              "--deployed-at", moment, code=1)
            self.assertIn(said, text)
        # Before the live one: a fact of the past, which nobody watches.
        since = world.release(live)["deployed_at"]
        before = world.must("register", "shop", "1.9", *PLACE,
                            "--deployed-at", since[:4] + "-01-01T00:00:00Z",
                            code=4)
        self.assertIn("2.0 is live, and newer", before)
        states = {release["version"]: release["state"]
                  for release in world.releases("shop")}
        self.assertEqual((states["1.9"], states["2.0"]),
                         ("superseded", "watching"))
        self.check_untouched("shop")

    def test_what_a_rollback_put_live(self):
        """A pipeline that registers what it finds live, before and after the
        incident is closed, makes no new suspect of it."""
        world = self.open("shop", "cart")  # of cart only its looks are used
        world.start()
        number = world.deploy_bad("shop")
        world.daemon.saw("rollback.verifying")
        code, text = world.run("register", "shop", "1.0", *PLACE)
        self.assertIn(code, (0, 4), text)
        world.daemon.saw("rollback.recovered")
        # It throws errors now: nobody reverts what a rollback put live.
        world.make_bad("shop", "1.0")
        world.look_on(8)
        self.check_reverted("shop", posts=1)
        self.assertEqual(world.release(number)["state"], "reverted")


if __name__ == "__main__":
    main()
