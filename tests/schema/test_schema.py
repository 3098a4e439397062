#!/usr/bin/python3
"""The schemas for editors, held against the reader.

    test_schema.py LASTGOOD YAML_DUMP

What the reader takes, the schema takes.  What the reader refuses for its form
(an unknown key, a missing one, a wrong word or kind), the schema refuses too;
what it refuses for its meaning (a unit, a name) is the reader's alone.  Tried
on every policy and configuration of the tree, good and bad, and on the good
ones with each key renamed, each key taken out and each value exchanged.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

from validate import NOTES, Schema

ROOT = pathlib.Path(__file__).resolve().parents[2]
LASTGOOD, DUMP = (pathlib.Path(word).resolve() for word in sys.argv[1:3])

# Problems of form, by the reader's words.
FORM = re.compile(
    r"^unknown key|^unknown word|must be a (map|list|text|name|duration|percentage|number|whole number)\b|"
    r"must be .*, not (nothing|a text|a list|a map|an empty text)$|^'.*' is missing|^this question has no|"
    r"wants exactly one of|needs a 'unit'|is not a (duration|percentage|number|whole number|name);|"
    r"is neither a name nor a prefix|a signal's name has|is a word of the language|wants a JSON pointer|"
    r"belongs to (a fetched signal|'prometheus')|only a 'page' may blame|has no name; begin|has no 'tree:'|"
    r"a branch leads to one thing|the tree begins with a question|a countdown wants its length|"
    r"^a (target|notice|source) (needs|is)|'(state|listen|heartbeat)' needs|^'.*' must be (as in|HOST:PORT|a JSON)|"
    r"is for (prometheus|scrape and json); remove|a call has one method|this call has no address|"
    r"^an address begins with http|at most 4 (notices|labels)|stands here a second time|holds 1 to 8 statuses|"
    r"'json' must be a map or a list|is filled in by the controller|is no variable's name|"
    r"^'.*' has \d+ entries; at most|^this case expects nothing|^a case begins with its name|a file holds 1 to")


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=120)


def trees(paths):
    out = []
    for path in paths:
        out.append(json.loads(run(DUMP, path).stdout))
    return out


def schema_of(name):
    return Schema(json.loads((ROOT / f"policies/schema/{name}.schema.json").read_text()))


def policy_problems(paths):
    """For each path the reader's errors."""
    found = {}
    for begin in range(0, len(paths), 60):
        answer = json.loads(run(LASTGOOD, "check", "--format", "json", *paths[begin:begin + 60]).stdout)
        for file in answer["files"]:
            found[file["path"]] = [one["text"] for one in file["problems"] if one["kind"] == "error"]
    return [found[str(path)] for path in paths]


def config_problems(path):
    answer = json.loads(run(LASTGOOD, "check", "--format", "json", "--config", path).stdout)
    return [one["text"] for one in answer["files"][0]["problems"] if one["kind"] == "error"]


def places(tree, path=()):
    """Every place in a tree, the root last."""
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else []
    for key, value in entries:
        yield from places(value, (*path, key))
    yield path


def at(tree, path):
    for step in path:
        tree = tree[step]
    return tree


ALL_SLIPS = ("renamed", "taken out", "a word", "a list", "a map", "nothing")


def mutants(tree, slips=ALL_SLIPS):
    """(what was done, the tree) for each single slip."""
    for path in places(tree):
        if not path:
            continue
        for slip in slips:
            changed = copy.deepcopy(tree)
            parent, key = at(changed, path[:-1]), path[-1]
            if slip == "renamed":
                if not isinstance(key, str):
                    continue
                parent[key + "_"] = parent.pop(key)
            elif slip == "taken out":
                del parent[key]
            else:
                parent[key] = {"a word": "zzz", "a list": [], "a map": {}, "nothing": None}[slip]
            yield f"{'/'.join(map(str, path))} {slip}", changed


class Held(unittest.TestCase):
    def hold(self, schema, what, tree, errors):
        """The schema's word against the reader's; which of them said no."""
        said = schema.errors(tree)
        if not errors:
            self.assertEqual(said, [], f"{what}: the reader takes it, the schema does not")
        elif any(FORM.search(error) for error in errors):
            self.assertTrue(said, f"{what}: the schema takes what the reader refuses: {errors}")


class Policies(Held):
    schema = schema_of("policy")
    good = sorted([*ROOT.glob("policies/library/*.yaml"), *ROOT.glob("deploy/demo/user-service.yaml"),
                   *ROOT.glob("tests/schema/good/policy*"), *ROOT.glob("tests/golden/cases/a.yaml")])
    good = [path for path in good if ".test." not in path.name]
    slipping = [path for path in good if path.parent.name != "library" or path.name in ("default.yaml", "user-service.yaml")]
    all = sorted([*good, *ROOT.glob("tests/golden/policies/*.yaml"), *ROOT.glob("tests/golden/configs/names/*.yaml"),
                  *ROOT.glob("tests/unit/**/*policy*.yaml"), *ROOT.glob("tests/fuzz/corpus/policy/*")])

    def test_every_policy_of_the_tree(self):
        checked = 0
        for path, tree in zip(self.all, trees(self.all)):
            if tree is None:
                continue  # no tree: there is nothing for an editor to hold
            with self.subTest(path=path.name):
                errors = policy_problems([path])[0]
                self.hold(self.schema, path.name, tree, errors)
                self.assertFalse(path in self.good and errors, errors)
                checked += 1
        self.assertGreater(checked, 10)

    def test_every_slip_in_a_good_policy(self):
        refused = 0
        with tempfile.TemporaryDirectory() as folder:
            cases = []
            for path, tree in zip(self.slipping, trees(self.slipping)):
                every_key = path.name == "policy.yaml"
                for slip, changed in mutants(tree, ALL_SLIPS if every_key else ALL_SLIPS[:2]):
                    file = pathlib.Path(folder, f"{len(cases)}")
                    file.mkdir()  # a folder each: files of one folder are rivals
                    (file / "p.json").write_text(json.dumps(changed))
                    cases.append((f"{path.name}: {slip}", changed, file / "p.json"))
            for (what, changed, _), errors in zip(cases, policy_problems([case[2] for case in cases])):
                self.hold(self.schema, what, changed, errors)
                refused += bool(errors)
        self.assertGreater(refused, 500)


class Configurations(Held):
    schema = schema_of("config")
    good = sorted([ROOT / "tests/schema/good/config.yaml", ROOT / "tests/fuzz/corpus/config/full.yaml"])
    all = sorted([*good, *ROOT.glob("tests/golden/configs/*.yaml"), *ROOT.glob("tests/fuzz/corpus/config/*"),
                  ROOT / "deploy/config/lastgood.yaml"])

    def test_every_configuration_of_the_tree(self):
        for path, tree in zip(self.all, trees(self.all)):
            with self.subTest(path=path.name):
                errors = [error for error in config_problems(path) if "cannot read the secret" not in error]
                self.hold(self.schema, path.name, tree, errors)
                self.assertFalse(path in self.good and errors, errors)

    def test_every_slip_in_a_good_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "config.json")
            tree = trees([ROOT / "tests/schema/good/config.yaml"])[0]
            for slip, changed in mutants(tree, ALL_SLIPS[:4]):
                file.write_text(json.dumps(changed))
                self.hold(self.schema, slip, changed, config_problems(file))


def case_problems(folder):
    """For each test file of a folder the reader's errors."""
    answer = json.loads(run(LASTGOOD, "test", "--format", "json", folder).stdout)
    return {pathlib.Path(file["path"]).name: [one["text"] for one in file.get("problems", []) if one["kind"] == "error"]
            for file in answer["files"]}


class TestFiles(Held):
    schema = schema_of("cases")
    good = ROOT / "tests/schema/good/policy.test.yaml"

    def test_every_test_file_of_the_tree(self):
        for folder in ("policies/library", "tests/golden/cases", "tests/schema/good"):
            problems = case_problems(ROOT / folder)
            for path in sorted((ROOT / folder).glob("*.test.yaml")):
                with self.subTest(path=path.name):
                    self.hold(self.schema, path.name, trees([path])[0], problems[path.name])
                    self.assertFalse("golden" not in folder and problems[path.name])

    def test_every_slip_in_a_good_test_file(self):
        tree = {**trees([self.good])[0], "policy": str(self.good.with_name("policy.yaml"))}
        with tempfile.TemporaryDirectory() as folder:
            slips = list(mutants(tree))
            for index, (_, changed) in enumerate(slips):
                pathlib.Path(folder, f"{index}.test.json").write_text(json.dumps(changed))
            problems = case_problems(folder)
            for index, (what, changed) in enumerate(slips):
                self.hold(self.schema, what, changed, problems[f"{index}.test.json"])
            self.assertGreater(sum(bool(errors) for errors in problems.values()), 100)


class Completeness(unittest.TestCase):
    """An editor completes from names and explains from descriptions."""

    def properties(self, schema):
        if isinstance(schema, dict):
            yield from schema.get("properties", {}).items()
            for value in schema.values():
                yield from self.properties(value)
        elif isinstance(schema, list):
            for value in schema:
                yield from self.properties(value)

    def test_each_key_is_described(self):
        for name in ("policy", "config", "cases"):
            document = schema_of(name).document
            for key, schema in self.properties(document):
                reference = schema.get("$ref", "").removeprefix("#/$defs/")
                described = "description" in schema or "description" in document["$defs"].get(reference, {})
                self.assertTrue(described, f"{name}: '{key}' has no description")

    def test_each_key_of_the_reader_is_there(self):
        for name, folder in (("policy", "policies/read"), ("config", "controller/config"), ("cases", "controller/cases")):
            known = {key for key, _ in self.properties(schema_of(name).document)} | {"canary"}
            for path in (ROOT / folder).glob("*.c"):
                for body in re.findall(r"\b\w*keys\[\]\s*=\s*\{([^}]*)\}", path.read_text()):
                    for key in re.findall(r'"([a-z_]+)"', body):
                        self.assertIn(key, known, f"{path.name}: '{key}' is not in the schema")

    def test_notes_are_only_notes(self):
        self.assertIn("description", NOTES)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
