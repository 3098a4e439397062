#!/usr/bin/python3
"""What pipelines and people type, and what it exits with."""
import json
import subprocess

import world as stage
from world import Story, main, until

PLACE = ("--environment", "production")


class Gate(Story):
    def test_it_answers_each_word_with_its_code(self):
        world = self.open()
        # Nobody there.
        self.assertIn("lastgood serve", world.gate("shop", code=4))
        world.gate("shop", "--when-unknown", "go", code=0)
        world.gate("shop", "--when-unknown", "stop", code=3)
        world.start()
        self.assertTrue(world.gate("shop", code=0).startswith("go: "))
        # Unknown service, unknown environment, wrong call.
        self.assertIn("nope", world.gate("nope", code=4))
        world.must("gate", "shop", "--environment", "mars", code=4)
        world.must("gate", "shop", code=1)
        world.must("gate", *PLACE, code=1)
        world.gate("two words", code=1)
        # Frozen, and a fix that is let through.
        world.must("freeze", "shop", *PLACE, "--for", "2h", "--reason",
                   "database work")
        text = world.gate("shop", code=3)
        self.assertIn("frozen until", text)
        self.assertIn("database work", text)
        world.gate("shop", "--version", "2.1", "--override", code=1)
        world.gate("shop", "--version", "2.1", "--override", "--reason",
                   "the fix", code=0)
        self.page("shop", "2.1 .* past the gate: the fix")
        world.must("thaw", "shop", *PLACE, "--reason", "done")
        world.gate("shop", code=0)
        # Held.
        world.must("hold", "shop", *PLACE, "--reason", "looking")
        self.assertIn("held", world.gate("shop", code=3))
        world.must("resume", "shop", *PLACE, "--reason", "seen")
        world.gate("shop", code=0)
        world.must("resume", "shop", *PLACE, "--reason", "again", code=1)
        # A machine reads it too.
        said = json.loads(world.gate("shop", "--format", "json", code=0))
        self.assertEqual(said["gate"], "go")

    def test_a_version_that_was_rolled_back_is_tainted(self):
        world = self.open()
        world.start()
        world.deploy_bad("shop")
        world.daemon.saw("rollback.recovered")
        self.assertIn("frozen", world.gate("shop", "--version", "2.0", code=3))
        self.assertIn("2.0 was rolled back", world.gate_after_thaw("shop"))
        world.gate("shop", "--version", "2.1", code=0)

    def test_an_announced_deploy_holds_a_rollback_back(self):
        world = self.open()
        world.start()
        world.warm()
        world.adopt("shop")
        world.make_bad("shop", "2.0")
        world.deploy("shop", "2.0")
        world.gate("shop", "--intent", "2.1", code=0)
        self.page("shop", "a newer deploy was announced: 2.1")
        self.check_untouched("shop")
        fixed = world.deploy("shop", "2.1")
        until("2.1 is watched",
              lambda: world.release(fixed)["state"] == "watching")
        world.look_on()
        self.check_untouched("shop")


class Wait(Story):
    def test_good_and_provisional(self):
        world = self.open()
        world.policy("shop", lasts="12s", provisional="4s")
        world.start()
        world.warm()
        number = world.deploy("shop", "2.0")
        text = world.must("wait", "shop", "2.0", *PLACE, "--timeout", "60s")
        self.assertIn("grade provisional", text)
        text = world.must("wait", number, "--for", "good", "--timeout", "60s")
        self.assertIn("grade good", text)
        said = json.loads(world.must("wait", number, "--format", "json"))
        self.assertEqual((said["version"], said["grade"]), ("2.0", "good"))
        # And so it is what the next one goes back to, without `adopt`.
        world.make_bad("shop", "2.1")
        bad = world.deploy("shop", "2.1")
        world.must("wait", bad, "--timeout", "60s", code=2)
        self.check_reverted("shop", live="2.0", posts=1)

    def test_not_decided_in_time_and_never(self):
        world = self.open()
        world.start()
        number = world.deploy("shop", "2.0")
        world.must("wait", number, "--timeout", "1s", code=3)
        world.must("wait", "nope", *PLACE, code=1)
        world.must("wait", "9999", code=1)
        world.must("wait", number, "--timeout", "soon", code=1)
        world.must("wait", number, "--for", "ever", code=1)
        world.deploy("shop", "2.1")
        until("2.0 is superseded",
              lambda: world.release(number)["state"] == "superseded")
        world.must("wait", number, code=4)
        held = world.register("shop", "2.1")
        world.must("hold", held, "--reason", "looking")
        world.must("wait", held, code=2)

    def test_it_outlives_a_restart_of_the_daemon(self):
        world = self.open()
        world.policy("shop", lasts="12s", provisional="6s")
        world.start()
        world.warm()
        number = world.deploy("shop", "2.0")
        waiting = subprocess.Popen(
            [stage.BINARY, "wait", number, "--server", world.url],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        world.daemon.saw("verdict", version="2.0", verdict="healthy")
        world.restart()
        text, _ = waiting.communicate(timeout=stage.PATIENCE)
        self.assertEqual(waiting.returncode, 0, text)
        self.assertIn("provisional", text)


class Orders(Story):
    def test_wrong_words_are_one_clear_line(self):
        world = self.open()
        world.start()
        number = world.deploy("shop", "2.0")
        for words, wanted in (
                (["frobnicate"], "no command 'frobnicate'"),
                (["gate", "shop", "--place", "production"], "--place"),
                (["register", "shop", "2.1"], "--environment"),
                (["register", "shop", "2 1", *PLACE], "version"),
                (["register", "shop", "../../etc", *PLACE], "version"),
                (["register", "nope", "2.1", *PLACE], "nope"),
                (["register", "shop", "2.1", *PLACE, "--data-change", "big"],
                 "none, expand, contract or irreversible"),
                (["register", "shop", "2.1", *PLACE, "--deployed-at",
                  "2099-01-01T00:00:00Z"], "2m ahead"),
                (["register", "shop", "2.1", *PLACE, "--label", "team"],
                 "NAME=VALUE"),
                (["register", "--body", "/nowhere"], "/nowhere"),
                (["adopt", "shop", "1.0", *PLACE], "--reason"),
                (["why", "77777"], "77777"),
                (["rollback", number], "--reason"),
                (["rollback", number, "--reason", "x"],
                 "'lastgood adopt' one"),
                (["freeze", "shop", *PLACE, "--for", "soon", "--reason", "x"],
                 "30m"),
                (["why", "shop", "9.9", *PLACE], "9.9"),
                (["status", "--server", "nonsense"], "nonsense"),
                (["status", "--server", "unix:/nowhere"], "unix:/nowhere"),
                (["verify", "/nowhere.db"], "/nowhere.db")):
            with self.subTest(" ".join(words)):
                code, text = world.run(*words)
                self.assertEqual(code, 1, text)
                self.assertIn(wanted, text)
                self.assertRegex(text, r"\Alastgood[^\n]*: [^\n]+\n\Z")
                self.assertNotIn("\033", text)
        world.gate("shop", code=0)
        self.check_untouched("shop")

    def test_text_from_outside_is_escaped(self):
        world = self.open()
        world.start()
        ugly = "bad \033[31m\nlastgood: all is well"
        text = world.must("freeze", "shop", *PLACE, "--reason", ugly, code=1)
        self.assertNotIn("\033", text)
        world.must("freeze", "shop", *PLACE, "--reason", "turn \u202e round")
        for words in (["gate", "shop", *PLACE], ["status"]):
            _, text = world.run(*words)
            self.assertIn("turn", text)
            self.assertNotIn("\u202e", text)
        self.assertNotIn("\033", world.daemon.said())

    def test_over_the_unix_socket(self):
        world = self.open()
        world.start()
        text = world.must("status", "--server",
                          f"unix:{world.folder}/socket")
        self.assertIn("shop", text)

    def test_a_body_from_a_file(self):
        world = self.open()
        world.start()
        world.deployer.deploy("shop", "2.0")
        body = world.write("release.json", json.dumps({
            "service": "shop", "environment": "production", "version": "2.0",
            "previous": "1.0", "data_change": "none",
            "labels": {"team": "web"}}))
        text = world.must("register", "--body", body, "--key", "one")
        self.assertEqual(world.must("register", "--body", body, "--key",
                                    "one").split()[1], text.split()[1])
        world.must("register", "--body", body, *PLACE, code=1)
        world.write("release.json", '{"service": "shop", "service": 1}')
        world.must("register", "--body", body, code=1)
        world.write("release.json", '{"service": "shop", "versoin": "3"}')
        self.assertIn("versoin", world.must("register", "--body", body,
                                            code=1))


if __name__ == "__main__":
    main()
