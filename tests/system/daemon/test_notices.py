#!/usr/bin/python3
"""People are told, or it is said that they were not; nothing waits for them."""
import re
import threading

from world import Story, main, until


class Notices(Story):
    def test_a_pager_that_never_answers_delays_nothing(self):
        world = self.open()
        answer = threading.Event()
        self.addCleanup(answer.set)
        world.pager.mood = lambda page: answer.wait() and None
        world.start()
        world.deploy_bad("shop")
        until("the revert", lambda: world.deployer.effective_of("shop"))
        world.daemon.saw("rollback.applied")
        self.assertEqual(world.pager.pages, [])
        self.assertTrue(world.pager.tries)
        answer.set()
        world.daemon.saw("rollback.recovered")
        self.page("shop", "^rolling back ")
        self.check_reverted("shop", posts=1)

    def test_a_try_after_a_kill_has_the_same_key(self):
        world = self.open()
        world.pager.mood = lambda page: 503
        world.start()
        world.deploy_bad("shop")

        def keys():
            return [key for key, page in list(world.pager.tries)
                    if page["text"].startswith("rolling back ")]

        until("two tries", lambda: len(keys()) >= 2)
        world.restart()
        world.pager.mood = None
        self.page("shop", "^rolling back ")
        world.daemon.saw("rollback.recovered")
        self.assertEqual(len(set(keys())), 1, keys())
        self.assertEqual(len(world.pager.about("shop", "rolling back ")), 1)

    def test_what_nobody_was_told_is_seen(self):
        world = self.open()
        world.pager.mood = lambda page: 404
        world.start()
        world.deploy_bad("shop")
        until("a notice is given up", lambda: world.json(
            "/v1/status")["counts"]["notices_undelivered"])
        text = world.must("status")
        self.assertRegex(text, r"nobody was told at \S+ by oncall: .*shop.* "
                         r"\(.*404.*\)")
        self.assertIn("needs you: a notice that nobody got", text)
        # It is knowledge, not memory.
        world.restart()
        gone = world.json("/v1/status")["undelivered"]
        self.assertEqual(gone[-1]["sink"], "oncall")
        self.assertIn("404", gone[-1]["why"])
        _, page = world.get("/metrics")
        count = re.search(r"^lastgood_notices_undelivered_total (\d+)$", page,
                          re.MULTILINE)
        self.assertGreaterEqual(int(count.group(1)), 1)


if __name__ == "__main__":
    main()
