#!/usr/bin/python3
"""The law of policies/library: a policy says when to use it and what it does not
see, loads without a warning, and has a test of each kind of world."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

LASTGOOD, DUMP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARY = sorted(path for path in ROOT.glob("policies/library/*.yaml") if ".test." not in path.name)
PRINTED = "user-service.yaml"  # as the design prints it, without an opening
SCHEMA = "# yaml-language-server: $schema=../schema/policy.schema.json"
ONE_WAY = ("contract", "irreversible")


def dumped(path):
    done = subprocess.run([DUMP, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def verdicts(case):
    """[(kind, the map it stands in)] of what a case expects."""
    expected = case.get("expect", {}).values()
    return [(one, {}) if isinstance(one, str) else (one["verdict"], one) for one in expected]


def expects(case, kind):
    return any(kind == one for one, _ in verdicts(case))


def goes_back(case):
    return case.get("acts", "never") != "never"


def of_load(case):
    """More requests, or more that arrives, and nothing to go back for."""
    words = ("traffic", "load", "work", "crowd")
    return not goes_back(case) and any(word in case["case"] for word in words)


# What each policy's tests hold, and how a case of that kind is known.
WORLDS = {
    "a bad release that goes back, and when": lambda case: goes_back(case) and not case.get("release"),
    "a healthy release": lambda case: case.get("final") == "healthy" and case.get("acts") == "never",
    "more load alone": of_load,
    "it was already so before": lambda case: expects(case, "page") and "before" in case["case"],
    "data that changed one way": lambda case: case.get("release", {}).get("data_change") in ONE_WAY
                                 and expects(case, "hold") and not goes_back(case),
    "nothing is known of the time before": lambda case: "nothing is known" in case["case"] and any(
        "countdown" in one.get("mode", "") for _, one in verdicts(case)),
    "turbulence while it settles": lambda case: "settle" in case["case"] and case.get("acts") == "never",
    "a blind source": lambda case: expects(case, "wait") and case.get("acts") == "never"
                      and any("error" in str(one) for one in case["series"].values()),
}


class Law(unittest.TestCase):
    def test_the_library_is_found(self):
        self.assertGreater(len(LIBRARY), 10)

    def test_each_policy_loads_without_a_warning(self):
        done = subprocess.run([LASTGOOD, "check", ROOT / "policies/library"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_each_policy_says_when_to_use_it_and_what_it_does_not_see(self):
        for path in LIBRARY:
            if path.name == PRINTED:
                continue
            lines = path.read_text().splitlines()
            opening = lines[:next(i for i, line in enumerate(lines) if not line.startswith("#"))]
            with self.subTest(policy=path.name):
                self.assertEqual(opening[0], SCHEMA)
                for word in ("[Ff]or an? |for any ", "Set: ", "It does not see: "):
                    self.assertRegex(" ".join(line[2:] for line in opening[1:]), word)

    def test_each_policy_has_a_case_of_each_world(self):
        for path in LIBRARY:
            beside = path.with_suffix("").with_suffix(".test.yaml")
            self.assertTrue(beside.exists(), f"{path.name} has no {beside.name} beside it")
            tests = dumped(beside)
            self.assertEqual(tests["policy"], path.name)
            for world, is_one in WORLDS.items():
                with self.subTest(policy=path.name, world=world):
                    self.assertTrue(any(map(is_one, tests["cases"])), f"{beside.name} has no case of: {world}")

    def test_each_test_is_of_a_policy(self):
        for path in ROOT.glob("policies/library/*.test.yaml"):
            self.assertIn(path.with_name(re.sub(r"\.test\.yaml$", ".yaml", path.name)), LIBRARY)

    def test_each_policy_asks_about_the_data(self):
        for path in LIBRARY:
            with self.subTest(policy=path.name):
                self.assertIn("release.rollback_safe", path.read_text())

    def test_the_readme_lists_each_policy(self):
        readme = (ROOT / "README.md").read_text()
        for path in LIBRARY:
            self.assertIn(f"(policies/library/{path.name})", readme)


if __name__ == "__main__":
    unittest.main()
