#!/usr/bin/python3
"""Releases go bad, alone and together; each is judged on its own."""
import json

from world import Story, main, until


class Rollbacks(Story):
    def test_two_of_three_go_bad_at_once(self):
        services = ("shop", "cart", "search")
        world = self.open(*services)
        world.start()
        world.warm()
        for service in services:
            world.adopt(service)
        world.make_bad("shop", "2.0")
        world.make_bad("cart", "2.0")
        numbers = {service: world.deploy(service, "2.0")
                   for service in services}
        for service in ("shop", "cart"):
            world.daemon.saw("rollback.recovered", service=service)
            self.check_reverted(service, posts=1)
            self.page(service, "^rolling back .* from 2.0 to 1.0: ")
            self.page(service, "^recovered: ")
            self.assertEqual(world.release(numbers[service])["state"],
                             "reverted")
        self.check_untouched("search")
        self.assertEqual(world.deployer.live["search"], "2.0")
        self.assertEqual(world.release(numbers["search"])["state"], "watching")
        self.assertEqual(world.pager.about("search"), [])
        world.gate("search", code=0)
        self.assertIn("frozen", world.gate("shop", code=3))
        self.assertIn("2.0 was rolled back", world.gate_after_thaw("shop"))

    def test_the_fleet_may_not_roll_back_a_fourth(self):
        services = ("one", "two", "three", "four")
        world = self.open(*services, interlocks="{shared_cause: 100 services "
                          "and 100% in 5m}")
        world.start()
        world.warm()
        for service in services:
            world.adopt(service)
        for service in services[:3]:
            world.make_bad(service, "2.0")
            world.deploy(service, "2.0")
        for service in services[:3]:
            world.daemon.saw("rollback.recovered", service=service)
            self.check_reverted(service, posts=1)
        world.make_bad("four", "2.0")
        number = world.deploy("four", "2.0")
        world.daemon.saw("rollback.refused", service="four", code="^fleet$")
        self.page("four", "not rolled back: .*fleet.* 3 .*10m")
        # A restart does not refill the budget.
        world.restart()
        world.look_on(12)
        self.check_untouched("four")
        self.assertEqual(world.release(number)["state"], "suspect")
        self.assertEqual(world.release(number)["rollback"]["state"], "refused")

    def test_a_service_may_not_roll_back_twice(self):
        world = self.open()
        world.start()
        world.deploy_bad("shop")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        world.must("thaw", "shop", "--environment", "production",
                   "--reason", "2.1 is better")
        world.make_bad("shop", "2.1")
        number = world.deploy("shop", "2.1")
        world.daemon.saw("rollback.refused", code="^per_service$")
        self.page("shop", "2.1: not rolled back: shop .* 1 .*30m")
        self.assertEqual(world.deployer.live["shop"], "2.1")
        self.check_reverted_version("2.0", "1.0")
        self.assertEqual(world.release(number)["state"], "suspect")

    def check_reverted_version(self, suspect, target):
        """One effective revert, from one version to another."""
        orders = [(order["expected_version"], order["version"])
                  for order in self.world.deployer.effective_of("shop")]
        self.assertEqual(orders, [(suspect, target)])

    def test_three_at_once_share_a_cause(self):
        services = ("one", "two", "three", "four")
        world = self.open(*services, interlocks="{fleet: 100 in 10m}")
        world.start()
        world.warm()
        for service in services:
            world.adopt(service)
            world.make_bad(service, "2.0")
            world.deployer.deploy(service, "2.0")
        for service in services:
            world.register(service, "2.0")
        refused = world.daemon.saw("rollback.refused", code="shared_cause")
        self.page(refused["service"], "services are in trouble at once: look "
                  "for what they share")
        until("a verdict on each", lambda: all(
            world.daemon.all("rollback.proposed", service=service)
            for service in services))
        touched = [service for service in services
                   if world.deployer.posts_of(service)]
        self.assertLessEqual(len(touched), 2)

    def test_the_first_release_has_nothing_to_go_back_to(self):
        world = self.open()
        world.deployer.live.clear()
        world.start()
        world.warm()
        world.make_bad("shop", "0.9")
        world.deploy("shop", "0.9")
        self.page("shop", "no release of shop in production is known to be "
                  "good")
        self.check_untouched("shop")
        # Somebody repairs it by hand, and vouches for what is live then.
        world.deployer.deploy("shop", "1.0")
        world.register("shop", "1.0")
        world.adopt("shop", "1.0")
        world.make_bad("shop", "1.1")
        world.deploy("shop", "1.1")
        world.daemon.saw("rollback.recovered", version="1.1")
        self.check_reverted("shop", live="1.0", posts=1)

    def test_adopted_in_the_middle_of_the_trouble(self):
        world = self.open()
        world.start()
        world.warm()
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        self.page("shop", "not rolled back: no release of shop")
        self.check_untouched("shop")
        # The leaf stands, so it is decided anew with the next look.
        world.adopt("shop", "1.0")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_it_was_already_so_before(self):
        world = self.open()
        world.make_bad("shop", "1.0")
        world.make_bad("shop", "2.0")
        world.start()
        world.warm()
        world.adopt("shop")
        until("errors before the deploy", lambda: world.prometheus.ask(
            'count_over_time(http_requests_total{world="%d",code="500"}[30s])'
            ' > 15' % world.number))
        world.deploy("shop", "2.0")
        self.page("shop", "shop was already so before 2.0")
        self.check_untouched("shop")


class Versions(Story):
    def test_a_version_that_is_not_live_stays_a_candidate(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        number = world.register("shop", "2.0")
        world.daemon.saw("verdict", version="1.0")
        self.assertEqual(world.release(number)["state"], "candidate")
        world.must("wait", number, "--timeout", "1s", code=3)
        # It is seen as soon as it goes live and somebody says so again.
        world.deployer.deploy("shop", "2.0")
        self.assertEqual(world.register("shop", "2.0"), number)
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        world.must("wait", number, code=2)

    def test_a_version_that_nobody_registered_is_discovered(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.daemon.saw("release.registered", origin="adopted")
        self.assertEqual(world.daemon.terminate(), 0)
        world.make_bad("shop", "2.0")
        world.deployer.deploy("shop", "2.0")
        world.start()
        world.daemon.saw("release.registered", origin="discovered",
                         version="2.0", text="nobody registered it")
        # Nobody said what it did to the data: a person decides.
        page = self.page("shop", "lastgood approve [0-9]+")
        self.assertEqual(page["version"], "2.0")
        self.check_untouched("shop")

    def test_registered_while_another_is_live(self):
        """The pipeline says 2.0, but somebody put 3.0 live."""
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "3.0")
        world.deployer.deploy("shop", "3.0")
        status, said = world.post("/v1/releases", {
            "service": "shop", "environment": "production",
            "version": "2.0", "data_change": "none"})
        self.assertEqual(status, 201, said)
        world.daemon.saw("release.registered", origin="discovered",
                         version="3.0")
        self.page("shop", "3.0")
        self.check_untouched("shop")
        self.assertNotIn(world.release(said["release"])["state"],
                         ("watching", "suspect", "reverted"))

    def test_the_same_key_is_the_same_release(self):
        world = self.open()
        world.start()
        world.deployer.deploy("shop", "2.0")
        body = {"service": "shop", "environment": "production",
                "version": "2.0", "data_change": "none"}
        first, said = world.post("/v1/releases", body, Idempotency_Key="k")
        self.assertEqual(first, 201, said)
        again, same = world.post("/v1/releases", body, Idempotency_Key="k")
        self.assertEqual((again, same["release"]), (200, said["release"]))
        for other in ({"version": "2.1"}, {"data_change": "irreversible"},
                      {"labels": {"team": "web"}}):
            status, problem = world.post("/v1/releases", {**body, **other},
                                         Idempotency_Key="k")
            self.assertEqual(status, 409, problem)
            self.assertIn("another body", json.dumps(problem))
        world.restart()
        again, same = world.post("/v1/releases", body, Idempotency_Key="k")
        self.assertEqual((again, same["release"]), (200, said["release"]))
        versions = [release["version"] for release in world.releases("shop")]
        self.assertEqual(sorted(versions), ["1.0", "2.0"])

    def test_our_own_revert_is_not_a_new_suspect(self):
        """A pipeline that registers whatever goes live, the revert too."""
        world = self.open()
        world.start()
        world.deploy_bad("shop")
        known = {release["version"]: release["id"]
                 for release in world.releases("shop")
                 if release["grade"] == "good"}
        world.daemon.saw("rollback.applied")
        status, said = world.post("/v1/releases", {
            "service": "shop", "environment": "production", "version": "1.0"})
        self.assertEqual((status, said["release"]), (200, known["1.0"]), said)
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)


if __name__ == "__main__":
    main()
