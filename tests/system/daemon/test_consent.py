#!/usr/bin/python3
"""People are asked before it acts: countdown, yes, no and mute."""
import re

from world import Story, main, until

PLACE = ("--environment", "production")


def number(page):
    """The rollback that a page names, as one would type it."""
    return re.search(r"'lastgood (?:approve|cancel) (\d+)", page["text"])[1]


class Countdown(Story):
    def test_it_runs_down_and_leaves(self):
        world = self.open()
        world.policy("shop", mode="countdown 4s")
        world.start()
        world.deploy_bad("shop")
        page = self.page("shop", "^in 4s, at .*: roll back shop")
        self.check_untouched("shop")
        self.assertIn("leaves at", world.must("status"))
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop")
        late = world.must("cancel", number(page), "--reason", "late", code=1)
        self.assertIn("is over: recovered", late)

    def test_a_no_stops_it_and_is_heard(self):
        world = self.open()
        world.policy("shop", mode="countdown 10m")
        world.start()
        world.deploy_bad("shop")
        rollback = number(self.page("shop", "^in 10m, at "))
        world.must("cancel", rollback, code=1)          # it wants a reason
        said = world.must("cancel", rollback, "--reason", "a load test")
        self.assertIn("a load test. The policy may say it again from", said)
        self.page("shop", "was cancelled by .*: a load test")
        world.must("cancel", rollback, "--reason", "twice")
        world.must("approve", rollback, code=1)
        self.assertIn("muted", world.must("status"))
        world.look_on()
        self.check_untouched("shop")
        # After all.
        world.must("rollback", "shop", *PLACE, "--reason", "it is worse")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop")

    def test_it_goes_on_after_a_kill(self):
        world = self.open()
        world.policy("shop", mode="countdown 15s")
        world.start()
        world.deploy_bad("shop")
        self.page("shop", "^in 15s, at ")
        world.restart()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop")
        self.assertEqual(len([page for page in world.pager.about("shop")
                              if page["text"].startswith("in 15s")]), 1)


class Suggestion(Story):
    def test_a_yes_carries_it_out(self):
        world = self.open()
        world.policy("shop", mode="suggest")
        world.start()
        world.deploy_bad("shop")
        page = self.page("shop", "^proposed: roll back shop .*waits for you")
        world.look_on()
        self.check_untouched("shop")
        self.assertIn("lastgood approve " + number(page), world.must("status"))
        world.must("approve", number(page))
        self.page("shop", "approved by ")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop")
        world.must("approve", number(page))             # twice is no harm
        world.must("approve", "99999", code=1)
        world.must("approve", "shop", code=1)

    def test_muted_it_does_not_even_ask(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        release = world.deploy("shop", "2.0")
        world.must("mute", release, "--reason", "we know", "--for", "1h")
        self.page("shop", "not rolled back: .* muted it until ")
        self.check_untouched("shop")
        until("a brake", lambda: "muted" in world.must("status"))


if __name__ == "__main__":
    main()
