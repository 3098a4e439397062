#!/usr/bin/python3
"""Sources that go away, lie, or are no Prometheus at all."""
import signal

from world import Prometheus, Stage, Story, main, until


class Away(Story):
    """A Prometheus of its own, for it is stopped and killed."""

    def open_alone(self):
        number = Stage.number()
        prometheus = Prometheus(Stage.exporter, [number])
        self.addCleanup(prometheus.stop)
        return self.open(prometheus=prometheus, number=number), prometheus

    def begin(self, world):
        world.start()
        world.warm()
        world.adopt("shop")
        until("the last good version is seen", lambda: [
            release for release in world.releases("shop")
            if release.get("verdict")])

    def check_waits(self, number):
        """It does not know, so it does nothing, and says why."""
        self.world.look_on()
        self.check_untouched("shop")
        self.assertEqual(self.world.release(number)["state"], "watching")
        self.assertEqual(self.world.pager.about("shop"), [])

    def test_stopped_killed_and_back(self):
        """The release is bad all the time, and nobody can see it."""
        world, prometheus = self.open_alone()
        self.begin(world)
        lost = len(world.daemon.all("source.lost"))
        prometheus.process.send_signal(signal.SIGSTOP)
        world.make_bad("shop", "2.0")
        number = world.deploy("shop", "2.0")
        until("it is lost",
              lambda: len(world.daemon.all("source.lost")) > lost)
        self.check_waits(number)
        prometheus.process.send_signal(signal.SIGCONT)
        prometheus.kill()
        self.check_waits(number)
        self.assertIn("prom", world.must("why", number))
        self.assertEqual(len(world.daemon.all("source.lost")), lost + 1)
        prometheus.start()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_a_healthy_release_outlives_it(self):
        world, prometheus = self.open_alone()
        self.begin(world)
        number = world.deploy("shop", "2.0")
        world.daemon.saw("verdict", version="2.0", verdict="healthy")
        prometheus.kill()
        world.daemon.saw("source.lost")
        self.check_waits(number)
        prometheus.start()
        world.daemon.saw("source.back")
        until("healthy again", lambda: world.release(number)["verdict"]
              ["verdict"] == "healthy")
        self.check_untouched("shop")

    def test_gone_while_recovery_is_verified(self):
        """Back on 1.0, but whether it helped is not known at first."""
        world, prometheus = self.open_alone()
        self.begin(world)
        world.hooks.append(lambda event: event["event"] == "rollback.applied"
                           and prometheus.kill())
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        world.daemon.saw("source.lost")
        world.look_on()
        self.assertEqual(world.daemon.all("rollback.recovered"), [])
        prometheus.start()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_never_back_is_unverified(self):
        world, prometheus = self.open_alone()
        world.policy("shop", verify="10s")
        self.begin(world)
        world.hooks.append(lambda event: event["event"] == "rollback.applied"
                           and prometheus.kill())
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        world.daemon.saw("rollback.unverified")
        self.page("shop", "1.0 is live, but nobody can tell whether shop "
                  "recovered")
        self.check_reverted("shop", posts=1)


class Numbers(Story):
    def check_unknown(self, reason):
        """A bad release whose numbers are no evidence: nothing is done, and
        the reason has its name."""
        world = self.world
        number = world.deploy("shop", "2.0")
        world.daemon.saw("verdict", release=f"^{number}$", verdict="wait")
        self.assertIn(f"unknown ({reason})", world.must("why", number))
        world.look_on(8)
        self.check_untouched("shop")
        self.assertEqual(world.pager.about("shop"), [])

    def begin(self, old="", new=""):
        """In a world whose policy asks something else."""
        world = self.open()
        world.write("policies/shop.yaml", world.policy_text(
            "shop", settle="0s").replace(old, new))
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        return world

    def answers(self, world, query):
        until(query, lambda: world.prometheus.ask(
            query.replace("SHOP", f'world="{world.number}",service="shop"')))

    def test_the_exporter_dies_with_the_release(self):
        world = self.begin()
        world.make_bad("shop", "2.0")
        world.exporter.down(world.number)
        number = world.deploy("shop", "2.0")
        world.daemon.saw("source.lost", text="alive")
        world.look_on()
        self.check_untouched("shop")
        self.assertEqual(world.pager.about("shop"), [])
        world.exporter.down(world.number, False)
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        self.assertEqual(world.release(number)["state"], "reverted")

    def test_not_a_number(self):
        world = self.begin()
        world.make_bad("shop", "1.0", gone=True)
        world.make_bad("shop", "2.0", gone=True)
        world.exporter.odd_lines(
            world.number, 'http_requests_total{service="shop",code="200"} NaN',
            'http_requests_total{service="shop",code="500"} NaN')
        self.answers(world, "sum(http_requests_total{SHOP}) != "
                     "sum(http_requests_total{SHOP})")
        self.check_unknown("nan")

    def test_no_series_at_all(self):
        world = self.begin()
        world.make_bad("shop", "1.0", gone=True)
        world.make_bad("shop", "2.0", gone=True)
        self.answers(world, "absent(rate(http_requests_total{SHOP}[3s]))")
        self.check_unknown("no data")

    def test_two_series_where_one_was_expected(self):
        world = self.begin("by (service) (rate", "by (service, code) (rate")
        world.make_bad("shop", "1.0")
        self.answers(world, "count(rate(http_requests_total{SHOP}[3s])) > 1")
        self.check_unknown("several series")

    def test_prometheus_refuses_the_query(self):
        world = self.begin("(service) (rate(", "(service) (rtae(")
        self.assertIn("rtae", world.daemon.saw("source.lost")["text"])
        self.check_unknown("source error")


class Pages(Story):
    """No Prometheus: the daemon reads the service's page itself."""

    def test_a_rollback_without_prometheus(self):
        world = self.open(source="page")
        world.start()
        world.look_on(12)
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        number = world.deploy("shop", "2.0")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        text = world.must("why", number)
        self.assertIn("http_requests_total", text)

    def test_the_page_goes_away_and_comes_back(self):
        world = self.open(source="page")
        world.start()
        world.look_on(12)
        world.adopt("shop")
        world.exporter.down(world.number)
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        world.daemon.saw("source.lost", name="page")
        world.look_on()
        self.check_untouched("shop")
        world.exporter.down(world.number, False)
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_a_restart_of_the_service_is_no_error(self):
        """Its counters begin at zero again."""
        world = self.open(source="page")
        world.start()
        world.look_on(12)
        world.adopt("shop")
        number = world.deploy("shop", "2.0")
        world.exporter.restart(world.number)
        world.daemon.saw("verdict", version="2.0", verdict="healthy")
        world.look_on()
        self.assertEqual(world.release(number)["state"], "watching")
        self.check_untouched("shop")


if __name__ == "__main__":
    main()
