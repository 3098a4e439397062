#!/usr/bin/python3
"""What the journal says can be exported, judged again, and in part erased."""
import hashlib
import json

from world import Story, main, until


class Journal(Story):
    def go_back(self):
        """A whole rollback, and where its journal lies."""
        world = self.open()
        world.start()
        number = world.deploy_bad("shop")
        world.daemon.saw("rollback.recovered")
        return world, number, world.folder / "state" / "lastgood.db"

    def export(self, database, *more):
        lines = self.world.must("export", database, *more).splitlines()
        return [json.loads(line) for line in lines]

    def of_kind(self, database, kind):
        return [line["record"] for line in self.export(database)
                if line["record"] and line["record"]["kind"] == kind]

    def check_chain(self, lines):
        chain = bytes(32)
        for line in lines:
            chain = hashlib.sha256(
                chain + bytes.fromhex(line["hash"])).digest()
            self.assertEqual(line["chain"], chain.hex())

    def test_every_verdict_is_judged_again_the_same(self):
        world, number, database = self.go_back()
        verdicts = [verdict for verdict in self.of_kind(database, "verdict")
                    if verdict["release"] == int(number)]
        self.assertIn("rollback", {one["verdict_kind"] for one in verdicts})
        for verdict in verdicts:
            said = json.loads(world.must(
                "explain", number, "--at", verdict["grid"], "--database",
                database, "--format", "json"))
            self.assertTrue(said["same"], said)
            self.assertEqual(said["record"], verdict["sequence"])
            self.assertEqual(said["again"], verdict["explanation"])
        text = world.must("explain", number, "--database", database)
        self.assertIn("judged again from what was recorded: the same, byte "
                      "for byte", text)
        text = world.must("explain", number, "--at", "2001-01-01T00:00:00Z",
                          "--database", database, code=1)
        self.assertIn("has no verdict at or before 2001", text)

    def test_it_is_exported_with_its_chain(self):
        world, number, database = self.go_back()
        lines = self.export(database)
        self.check_chain(lines)
        self.assertEqual([line["sequence"] for line in lines],
                         list(range(1, len(lines) + 1)))
        some = self.export(database, "--release", number)
        self.assertTrue(some)
        for line in some:
            self.assertIn(int(number), (line["record"].get("release"),
                                        line["sequence"]))
        text = world.must("export", database, "--incident", "x", code=1)
        self.assertIn("incident is a whole number", text)

    def test_what_people_said_can_be_erased(self):
        world, number, database = self.go_back()
        world.must("freeze", "shop", "--environment", "production", "--reason",
                   "Alice is on leave")
        said = self.of_kind(database, "commanded")[-1]["sequence"]
        why = ["--database", database, "--reason", "she asked"]
        text = world.must("erase", said, *why, code=1)
        self.assertIn("another lastgood", text)  # it is in use
        self.assertEqual(world.daemon.terminate(), 0)
        verdict = self.of_kind(database, "verdict")[-1]
        made = self.of_kind(database, "registered")[-1]["sequence"]
        notice = self.of_kind(database, "notice")[0]["sequence"]
        for sequence in (said, notice, verdict["sequence"]):
            text = world.must("erase", sequence, *why)
            self.assertIn("erased: record ", text)
        text = world.must("erase", made, *why, code=1)
        self.assertIn("the next start needs all else", text)
        text = world.must("erase", 9999, *why, code=1)
        self.assertIn("there is none", text)
        text = world.must("verify", database)
        self.assertIn("erased   2", text)
        lines = self.export(database)
        self.check_chain(lines)
        self.assertIsNone(lines[said - 1]["record"])
        self.assertEqual(lines[-1]["record"]["text"],
                         f"erased the text of record {verdict['sequence']}: "
                         "she asked")
        text = world.must("explain", verdict["release"], "--at",
                          verdict["grid"], "--database", database, code=1)
        self.assertIn("is not kept (any more)", text)
        # The next start goes on without them.
        world.start()
        until("it knows the release", lambda: world.release(number)["state"]
              == "reverted")
        world.must("why", number)
        world.gate("shop", code=3)


if __name__ == "__main__":
    main()
