#!/usr/bin/python3
"""`check --format sarif` against what SARIF 2.1.0 demands of it.

    test_sarif.py LASTGOOD

The form is sarif.schema.json; here is what a schema cannot say, tried on every
broken file that the golden tests hold."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from validate import Schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
LASTGOOD = pathlib.Path(sys.argv.pop(1)).resolve()
SCHEMA = Schema(json.loads(pathlib.Path(__file__).with_name("sarif.schema.json").read_text()))

# An id is forever: whoever silenced one must find it again.
IDS = ("file", "yaml", "form", "unknown-key", "signal", "expression-syntax", "unknown-name", "unit", "function", "tree", "cost",
       "rivals", "configuration", "reference", "query", "only-observes", "unasked-rollback", "unseen-trigger", "short-settle")

# One slip of each kind: what is put where in a good policy.
GOOD = """policy: p
applies_to: {service: p, environment: production}
mode: auto
unsure: observe
baseline: 1h
watch: {every: 15s, settle: 1m}
signals:
  bad: {prometheus: "rate(b[1m])", unit: ratio}
tree:
  question: q
  if: bad > 5% for 2m or change(bad) > 300%
  then:
    question: safe?
    if: release.rollback_safe
    then: {rollback: last_good}
    else: {hold: x}
  else: healthy
"""
SLIPS = {
    "yaml": ("mode: auto", "mode: *auto"),
    "form": ("every: 15s", "every: soon"),
    "unknown-key": ("mode:", "mood:"),
    "signal": ("bad:", "Bad:"),
    "expression-syntax": ("bad > 5%", "bad >> 5%"),
    "unknown-name": ("bad > 5%", "bat > 5%"),
    "unit": ("bad > 5%", "bad > 5s"),
    "function": ("bad > 5%", "awg(bad) > 5%"),
    "tree": ("else: {hold: x}", "else: {}"),
    "cost": ("baseline: 1h", "baseline: 10h"),
    "only-observes": ("mode: auto\n", ""),
    "unasked-rollback": ("if: release.rollback_safe", "if: bad > 7%"),
    "short-settle": ("settle: 1m", "settle: 30s"),
}


def check(*words, cwd=None):
    done = subprocess.run([LASTGOOD, "check", "--format", "sarif", *map(str, words)], capture_output=True, text=True,
                          check=False, timeout=120, cwd=cwd)
    return json.loads(done.stdout), done


class Sarif(unittest.TestCase):
    def hold(self, document):
        self.assertEqual(SCHEMA.errors(document), [])
        run = document["runs"][0]
        rules = run["tool"]["driver"]["rules"]
        self.assertEqual([rule["id"] for rule in rules], list(IDS))
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])  # 3.27.6
            for change in (change for fix in result.get("fixes", []) for change in fix["artifactChanges"]):
                for replacement in change["replacements"]:
                    self.region(replacement["deletedRegion"])
            for location in result["locations"] + result.get("relatedLocations", []):
                self.region(location["physicalLocation"].get("region"))
        return run["results"]

    def region(self, region):
        """3.30.6-8: a column needs its line, the end is not before the start."""
        if region is not None and "endColumn" in region:
            self.assertGreaterEqual(region["endColumn"], region["startColumn"])

    def test_every_broken_file_of_the_tree(self):
        seen = 0
        for path in sorted([*ROOT.glob("tests/golden/policies/*.yaml"), *ROOT.glob("tests/golden/configs/*.yaml")]):
            words = ["--config", path] if path.parent.name == "configs" else [path]
            with self.subTest(path=path.name):
                seen += len(self.hold(check(*words)[0]))
        self.assertGreater(seen, 200)

    def test_good_files_have_no_results(self):
        document, done = check(ROOT / "policies/library")
        self.assertEqual((done.returncode, self.hold(document)), (0, []))

    def test_each_kind_has_its_rule(self):
        for wanted, (old, new) in SLIPS.items():
            with self.subTest(wanted), tempfile.TemporaryDirectory() as folder:
                self.assertIn(old, GOOD)
                pathlib.Path(folder, "a file.yaml").write_text(GOOD.replace(old, new, 1))
                document, _ = check("a file.yaml", cwd=folder)
                found = self.hold(document)
                self.assertIn(wanted, [result["ruleId"] for result in found])
                level = "warning" if IDS.index(wanted) >= IDS.index("only-observes") else "error"
                for result in found:
                    self.assertEqual(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "a%20file.yaml")
                    if result["ruleId"] == wanted:
                        self.assertEqual(result["level"], level)

    def test_rules_between_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in "ab":
                pathlib.Path(folder, f"{name}.yaml").write_text(GOOD.replace("policy: p", f"policy: {name}"))
            found = self.hold(check(folder)[0])
            self.assertEqual([result["ruleId"] for result in found], ["rivals"])
            found = self.hold(check(pathlib.Path(folder, "missing.yaml"))[0])
            self.assertEqual([result["ruleId"] for result in found], ["file"])
            found = self.hold(check("--config", ROOT / "tests/golden/configs/listen.yaml")[0])
            self.assertEqual({result["ruleId"] for result in found}, {"configuration"})
            found = self.hold(check("--config", ROOT / "tests/golden/configs/names.yaml", ROOT / "tests/golden/configs/names")[0])
            self.assertIn("reference", [result["ruleId"] for result in found])


if __name__ == "__main__":
    unittest.main()
