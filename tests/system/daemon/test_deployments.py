#!/usr/bin/python3
"""A deployment API that misbehaves: one clear end, at most one revert."""
from world import Story, main, until

MANY = "{per_service: 1 in 30m, fleet: 100 in 10m, " \
       "shared_cause: 100 services and 100% in 5m}"

# What the next posts are answered with ("..." is for ever), how the rollback
# must end, its code, how many reverts were effective, how many were tried.
POSTS = {
    "says-500-once": (["500"], "recovered", "recovered", 1, 2),
    "says-503-twice": (["503", "503"], "recovered", "recovered", 1, 3),
    "says-429-once": (["429"], "recovered", "recovered", 1, 2),
    "hangs-once": (["hang"], "recovered", "recovered", 1, 2),
    "closes-once": (["close"], "recovered", "recovered", 1, 2),
    "did-it-and-says-500": (["500_after..."], "recovered", "recovered", 1, 1),
    "did-it-and-hangs": (["hang_after..."], "recovered", "recovered", 1, 1),
    "did-it-and-closes": (["close_after..."], "recovered", "recovered", 1, 1),
    "says-500": (["500..."], "failed", "unreachable", 0, None),
    "says-503": (["503..."], "failed", "unreachable", 0, None),
    "says-429": (["429..."], "failed", "unreachable", 0, None),
    "hangs": (["hang..."], "failed", "unreachable", 0, None),
    "closes": (["close..."], "failed", "unreachable", 0, None),
    "never-ends": (["endless..."], "failed", "unreachable", 0, None),
    "sends-10-MiB": (["huge..."], "failed", "unreachable", 0, None),
    "says-409": (["409..."], "failed", "raced", 0, 1),
    "says-400": (["400..."], "failed", "rejected", 0, 1),
    "says-403": (["403..."], "failed", "rejected", 0, 1),
    "redirects": (["redirect..."], "failed", "rejected", 0, 1),
    "forgets": (["forget"], "failed", "incomplete", 0, 1),
    "says-html": (["html"], "failed", "incomplete", 0, 1),
    "lets-another-in": (["other"], "failed", "raced", 0, 1),
}

# The same for the question what is live, asked right before the revert.
GETS = {
    "live-says-500": ["500..."],
    "live-says-html": ["html..."],
    "live-hangs": ["hang..."],
    "live-closes": ["close..."],
    "live-never-ends": ["endless..."],
    "live-redirects": ["redirect..."],
    "live-is-empty": ["empty..."],
    "live-is-half-json": ["not_json..."],
    "live-is-a-number": ["wrong_type..."],
    "live-is-10-MiB": ["huge..."],
}


class Deployments(Story):
    def ended(self, service):
        """The last record of its rollback."""
        ends = "recovered|failed|not_recovered|unverified|refused|cancelled"
        return self.world.daemon.saw(f"rollback.({ends})", service=f"^{service}$")

    def check(self, service, behaviour):
        posts, state, code, effective, tries = behaviour
        end = self.ended(service)
        said = f"{service}: {end}"
        self.assertEqual(end["event"], "rollback." + state, said)
        self.assertEqual(end["code"], code, said)
        deployer = self.world.deployer
        self.assertEqual(len(deployer.effective_of(service)), effective, said)
        asked = deployer.posts_of(service)
        if tries is not None:
            self.assertEqual(len(asked), tries, said)
        self.assertGreater(len(asked), 0, said)
        self.assertEqual(len({post["key"] for post in asked}), 1, said)
        self.page(service, "recovered" if state == "recovered" else "failed")

    def go_bad(self, services):
        world = self.world
        world.start()
        world.warm()
        for service in services:
            world.adopt(service)
            world.make_bad(service, "2.0")
            world.deployer.deploy(service, "2.0")
        for service in services:
            world.register(service, "2.0")

    def test_posts_that_misbehave(self):
        world = self.open(*POSTS, interlocks=MANY, timeout="1s",
                          deadline="12s")
        for service, behaviour in POSTS.items():
            world.deployer.misbehave(service, *behaviour[0])
        self.go_bad(POSTS)
        for service, behaviour in POSTS.items():
            with self.subTest(service):
                self.check(service, behaviour)

    def test_what_is_live_is_not_said(self):
        world = self.open(*GETS, interlocks=MANY, timeout="1s",
                          deadline="10s")
        for service, gets in GETS.items():
            world.deployer.moments["has", service] = \
                lambda service=service, gets=gets: \
                world.deployer.misbehave(service, gets=gets)
        self.go_bad(GETS)
        for service in GETS:
            with self.subTest(service):
                end = self.ended(service)
                self.assertEqual(end["event"], "rollback.failed", end)
                self.assertEqual(end["code"], "unobservable", end)
                self.check_untouched(service)
                self.page(service, "failed")

    def test_a_slow_rollout_is_waited_for(self):
        world = self.open("shop")
        world.deployer.takes = 6
        world.start()
        world.deploy_bad("shop")
        world.daemon.saw("rollback.in_progress")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_the_good_version_is_gone(self):
        world = self.open("shop")
        world.deployer.gone.add("1.0")
        world.start()
        world.deploy_bad("shop")
        self.page("shop", "1.0 is gone")
        self.check_untouched("shop")
        self.assertEqual(world.daemon.all("rollback.refused")[0]["code"],
                         "target_gone")
        # It is decided anew: somebody restores the version.
        world.deployer.gone.clear()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_it_did_not_help(self):
        world = self.open("shop")
        world.policy("shop", verify="8s")
        world.start()
        world.deploy_bad("shop")
        world.make_bad("shop", "1.0")
        end = self.ended("shop")
        self.assertEqual(end["event"], "rollback.not_recovered", end)
        self.page("shop", "did not recover on 1.0")
        until("still what was reverted to",
              lambda: world.deployer.live["shop"] == "1.0")
        self.check_reverted("shop", posts=1)


if __name__ == "__main__":
    main()
