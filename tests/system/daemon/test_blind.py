#!/usr/bin/python3
"""A source that stays dark: people are told once, after five minutes."""
import world as stage
from world import Prometheus, Stage, Story, main, until


class Blind(Story):
    def test_told_once_and_never_a_rollback(self):
        number = Stage.number()
        prometheus = Prometheus(Stage.exporter, [number])
        self.addCleanup(prometheus.stop)
        world = self.open(prometheus=prometheus, number=number)
        world.start()
        world.warm()
        world.adopt("shop")
        prometheus.kill()
        world.make_bad("shop", "2.0")
        release = world.deploy("shop", "2.0")
        page = until("a page", lambda: world.pager.about("shop"), 420)[0]
        self.assertEqual(page["what"], "blind")
        self.assertIn("shop 2.0", page["text"])
        self.assertIn("source error", page["text"])
        self.assertIn("Nothing is rolled back", page["text"])
        self.assertIn("lastgood_releases_blind 1", world.get("/metrics")[1])
        # A restart neither forgets it nor says it again.
        world.restart()
        world.look_on(30)
        self.assertEqual(len(world.pager.about("shop")), 1)
        self.check_untouched("shop")
        prometheus.start()
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)
        self.assertEqual(world.release(release)["state"], "reverted")
        self.assertIn("lastgood_releases_blind 0", world.get("/metrics")[1])


if __name__ == "__main__":
    stage.PATIENCE = 120
    main()
