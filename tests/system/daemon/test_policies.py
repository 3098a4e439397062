#!/usr/bin/python3
"""Policy files are edited while everything runs, and not always well."""
import os
import shutil

from world import Story, main, until

WRONG = "nonsense: 1\n"  # in a line of its own, the last


class Files(Story):
    def problems(self, file="shop.yaml"):
        return [event for event in self.world.daemon.all("policy.problem")
                if event["file"].endswith("/" + file)]

    def broken(self, text, file="shop.yaml"):
        """Write it; the one line that says what is wrong."""
        known = len(self.problems(file))
        self.world.write("policies/" + file, text)
        until("the problem is said",
              lambda: len(self.problems(file)) > known)
        return self.problems(file)[known]

    def begin(self):
        world = self.open()
        world.policy("shop", settle="3s")  # no warning: all lines are ours
        world.start()
        world.warm()
        world.adopt("shop")
        return world

    def check_still_judged(self):
        world = self.world
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        world.daemon.saw("rollback.recovered")
        self.check_reverted("shop", posts=1)

    def test_broken_the_old_one_stays_in_force(self):
        world = self.begin()
        text = world.policy_text("shop", settle="3s") + WRONG
        line = str(text.count("\n"))
        said = self.broken(text)
        self.assertEqual((said["line"], said["column"]), (line, "1"))
        self.assertIn("nonsense", said["text"])
        self.assertEqual(said["level"], "error")
        self.assertIn(f"shop.yaml:{line}", world.must("status"))
        self.check_still_judged()
        self.assertEqual(len(self.problems()), 1)
        # Fixed: its digest is another one, and the problem is gone.
        world.policy("shop", settle="3s", verify="30s")
        until("it is in force",
              lambda: len(world.daemon.all("policy.set")) >= 2)
        self.assertNotIn("policy error", world.must("status"))

    def test_half_a_file_is_no_policy(self):
        world = self.begin()
        text = world.policy_text("shop")
        for wrong in ("", text[:len(text) // 2], "\0\0\0\0", "{" * 5000,
                      "policy: shop\n" + "x" * (70 * 1024),
                      text + text, "&a [*a, *a]\n"):
            with self.subTest(wrong[:20]):
                said = self.broken(wrong)
                self.assertTrue(said["text"], said)
                self.assertRegex(said.get("line", ""), r"^\d+$", said)
        self.check_still_judged()

    def test_the_whole_folder_is_gone(self):
        world = self.begin()
        shutil.rmtree(world.folder / "policies")
        said = world.daemon.saw("policy.problem", file="/policies$")
        self.assertIn("those in force stay", said["text"])
        self.check_still_judged()

    def test_removed_then_nobody_watches(self):
        world = self.begin()
        os.unlink(world.folder / "policies" / "shop.yaml")
        world.daemon.saw("policy.removed", name="shop")
        world.make_bad("shop", "2.0")
        text = world.must("register", "shop", "2.0", "--environment",
                          "production", code=4)
        self.assertIn("no policy", text)
        world.deployer.deploy("shop", "2.0")
        world.must("wait", "shop", "2.0", "--environment", "production",
                   code=4)
        # It comes back, and the release that is live is watched from then.
        world.policy("shop", unsure="auto")
        world.daemon.saw("release.moved", version="2.0", state="watching")
        until("a verdict", lambda: world.daemon.all("verdict", version="2.0"))

    def test_two_that_match_equally(self):
        world = self.begin()
        said = self.broken(world.policy_text("shop", name="twin",
                                             settle="3s"), "twin.yaml")
        self.assertIn("shop", said["text"])
        self.assertEqual(said["level"], "error")
        names = [policy["name"] for policy in
                 world.json("/v1/policies")["policies"]]
        self.assertEqual(names, ["shop"])
        self.check_still_judged()

    def test_two_of_the_same_name(self):
        world = self.begin()
        self.broken(world.policy_text("cart", name="shop", settle="3s"),
                    "another.yaml")
        said = world.daemon.saw("policy.problem", level="error")
        self.assertIn("the name 'shop' is taken by", said["text"])
        self.check_still_judged()

    def test_the_more_specific_one_wins(self):
        world = self.begin()
        world.write("policies/all.yaml", world.policy_text(
            '"*"', name="all", mode="observe"))
        world.daemon.saw("policy.set", name="all")
        self.check_still_judged()

    def test_changed_in_the_middle_of_a_rollback(self):
        """A rollback keeps the policy that it began with."""
        world = self.begin()
        world.hooks.append(lambda event: event["event"] ==
                           "rollback.requested" and
                           world.policy("shop", mode="observe", verify="5s"))
        self.check_still_judged()
        world.daemon.saw("policy.set", name="shop")

    def test_broken_at_the_start(self):
        """It starts, says so, and judges by the others."""
        world = self.open("shop", "cart")
        world.write("policies/cart.yaml",
                    world.policy_text("cart", settle="3s") + WRONG)
        world.start()
        self.assertEqual(len(self.problems("cart.yaml")), 1)
        world.warm("shop")
        world.adopt("shop")
        self.check_still_judged()

    def test_broken_over_a_restart(self):
        """What was in force is in the store: it still is after a restart."""
        world = self.begin()
        self.broken(world.policy_text("shop") + WRONG)
        world.restart()
        self.check_still_judged()


if __name__ == "__main__":
    main()
