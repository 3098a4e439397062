#!/usr/bin/python3
"""Going back must be safe for the data, or a person decides."""
import re

from world import Story, main


class Data(Story):
    def deploy(self, version, **how):
        """A bad release, with a good one before it."""
        world = self.world
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", version)
        return world.deploy("shop", version, **how)

    def test_one_way_is_held_and_never_reverted(self):
        world = self.open()
        number = self.deploy("2.0", data="irreversible")
        self.page("shop", "2.0 changed data one way: roll forward")
        self.assertEqual(world.release(number)["state"], "held")
        self.assertIn("held", world.gate("shop", code=3))
        world.must("wait", number, code=2)
        # Not even by a person: it would break on the data.
        text = world.must("rollback", number, "--reason", "I insist", code=1)
        self.assertIn("2.0", text)
        self.assertIn("roll forward", text)
        world.look_on()
        self.check_untouched("shop")
        # A newer release is the way out, and it is watched.
        fixed = world.deploy("shop", "2.1")
        world.daemon.saw("release.moved", version="2.1", state="watching")
        world.gate("shop", code=0)
        self.assertEqual(world.release(number)["state"], "superseded")
        self.assertEqual(world.release(fixed)["state"], "watching")

    def test_not_said_is_proposed_and_a_person_orders_it(self):
        world = self.open()
        world.policy("shop", unsure="suggest")
        number = self.deploy("2.0", data=None)
        page = self.page("shop", "^proposed: roll back shop in production "
                         "from 2.0 to 1.0")
        command = re.search(r"lastgood approve (\d+)", page["text"])
        world.look_on(10)
        self.check_untouched("shop")
        self.assertEqual(len(world.pager.about("shop", "proposed")), 1)
        # The page's command.
        world.must("approve", command.group(1), "--reason",
                   "the data is the same")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        self.assertIn("the data is the same", world.must("why", number))

    def test_a_policy_that_suggests_waits_for_a_person(self):
        world = self.open()
        world.policy("shop", mode="suggest")
        self.deploy("2.0")
        self.page("shop", r"lastgood approve \d+")
        world.look_on()
        self.check_untouched("shop")
        # The errors end by themselves: what was proposed is withdrawn.
        world.bad.clear()
        world.daemon.saw("rollback.cancelled", code="withdrawn")
        self.check_untouched("shop")

    def test_a_ceiling_of_observe_only_says_it(self):
        world = self.open(ceiling=", ceiling: observe")
        self.deploy("2.0")
        self.page("shop", "would roll back shop in production from 2.0 to 1.0")
        world.look_on()
        self.check_untouched("shop")
        world.gate("shop", code=3)

    def test_one_way_between_the_two_is_one_way(self):
        """2.0 changed data one way, 2.1 did not: 1.0 is out of reach."""
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.deploy("shop", "2.0", data="contract")
        world.daemon.saw("release.moved", version="2.0", state="watching")
        world.make_bad("shop", "2.1")
        number = world.deploy("shop", "2.1", data="none")
        self.page("shop", "2.1 changed data one way")
        self.assertEqual(world.release(number)["state"], "held")
        self.check_untouched("shop")

    def test_compatible_from_is_believed_more_than_a_word(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        world.deployer.deploy("shop", "2.0")
        world.register("shop", "2.0", "--rollback-compatible-from", "1.0",
                       data="irreversible")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)


if __name__ == "__main__":
    main()
