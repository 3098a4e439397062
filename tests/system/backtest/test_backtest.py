#!/usr/bin/python3
"""What the policy would have done on a day that a real Prometheus remembers."""

import json
import os
import pty
import subprocess
import unittest

import world
from world import DAY, EVERY, HOUR, LEAK, RELEASES, SPIKE, moment, released


class Backtest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.day = world.Day()
        cls.releases = cls.day.write("releases.json", json.dumps(RELEASES))

    @classmethod
    def tearDownClass(cls):
        cls.day.close()

    def run_json(self, releases=None, **more):
        path = self.releases if releases is None else \
            self.day.write("some.json", json.dumps(releases))
        done = world.backtest(self.day.url, path, "--format", "json", **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout), done.stderr

    def changed(self, old, new):
        """The policy, with something else in one place."""
        with open(world.POLICY, encoding="utf-8") as file:
            text = file.read()
        self.assertIn(old, text)
        return self.day.write("changed.yaml", text.replace(old, new))

    def test_three_releases_and_what_they_were_worth(self):
        said, warned = self.run_json()
        healthy, leak, spike = said["releases"]
        self.assertEqual(warned, "")
        self.assertEqual([said["judged"], said["labelled"], said["incidents"]],
                         [3, 3, 2])
        self.assertEqual([healthy["did"], healthy["final"], healthy["outcome"],
                          healthy["at"], healthy["judged_until"]],
                         ["nothing", "healthy", "quiet", None,
                          moment(DAY + 7 * HOUR)])

        # 70 % of 200 is 140: 100 more than before, after 80 min; for 2 min.
        self.assertEqual([leak["did"], leak["final"], leak["mode"],
                          leak["outcome"]],
                         ["rollback", "rollback", "auto", "right"])
        self.assertEqual(leak["at"], moment(LEAK + 82 * 60))
        self.assertEqual([step["answer"] for step in leak["path"]],
                         ["yes", "yes", "no"])
        self.assertIn("saturation", leak["why"])
        self.assertEqual(leak["delay_seconds"], 82 * 60)

        self.assertEqual([spike["did"], spike["outcome"]],
                         ["rollback", "right"])
        self.assertEqual([step["answer"] for step in spike["path"]],
                         ["yes", "yes", "yes"])
        self.assertTrue(105 <= spike["delay_seconds"] <= 180, spike)

    def test_precision_recall_and_delay_for_each_rule(self):
        said, _ = self.run_json()
        leak, errors = said["rules"]
        self.assertEqual([step["answer"] for step in leak["path"]],
                         ["yes", "yes", "no"])
        self.assertEqual([leak["fired"], leak["right"], leak["precision"],
                          leak["recall"]], [1, 1, 1, 0.5])
        self.assertEqual([errors["fired"], errors["precision"],
                          errors["recall"]], [1, 1, 0.5])
        self.assertEqual([said["total"]["fired"], said["total"]["precision"],
                          said["total"]["recall"]], [2, 1, 1])
        self.assertEqual(said["total"]["delay_seconds"],
                         errors["delay_seconds"])

    def test_other_labels_make_it_wrong_and_late(self):
        labels = [dict(RELEASES[0], incident=True),
                  {**{key: value for key, value in RELEASES[1].items()
                      if key != "began"}, "incident": False},
                  {key: value for key, value in RELEASES[2].items()
                   if key not in ("incident", "began")}]
        said, _ = self.run_json(labels)
        self.assertEqual([one["outcome"] for one in said["releases"]],
                         ["missed", "wrong", None])
        self.assertEqual([said["total"][name] for name in
                          ("fired", "labelled", "right", "precision",
                           "recall", "delay_seconds")],
                         [2, 1, 0, 0, 0, None])

    def test_the_same_decisions_as_replay(self):
        queries = {
            "errors": 'sum by (service) (rate(http_requests_total{code="500",'
                      'service="shop"}[1m]))',
            "requests": 'sum by (service) '
                        '(rate(http_requests_total{service="shop"}[1m]))',
            "pool_in_use": 'pool_in_use{service="shop"}',
            "pool_size": 'pool_size{service="shop"}'}
        said, _ = self.run_json()
        for one, release in zip(said["releases"], RELEASES):
            deployed = DAY + {"1.1.0": 4, "1.2.0": 9,
                              "1.3.0": 15}[release["version"]] * HOUR
            start, end = deployed - HOUR, deployed + 3 * HOUR
            columns = {name: self.day.range(query, start, end)
                       for name, query in queries.items()}
            rows = ["time," + ",".join(columns)]
            for at in range(start, end + 1, EVERY):
                rows.append(",".join([str(at)] + [column.get(at, "") for column
                                                  in columns.values()]))
            table = self.day.write("table.csv", "\n".join(rows) + "\n")
            body = self.day.write("release.json", json.dumps(
                {key: value for key, value in release.items()
                 if key not in ("incident", "began")}))
            done = world.lastgood("replay", world.POLICY, "--samples", table,
                                  "--release", body, "--format", "json")
            self.assertEqual(done.returncode, 0, done.stderr)
            replayed = json.loads(done.stdout)
            self.assertEqual(replayed["final"], one["final"])
            self.assertEqual(replayed["first_action_at"], one["at"])
            if one["at"]:
                self.assertEqual(replayed["decisions"][-1]["path"], one["path"])

    def test_the_next_deploy_ends_a_watch(self):
        said, _ = self.run_json(
            [*RELEASES, released("1.2.1", 10), released("1.2.2", 10.0025)])
        leak, short = said["releases"][1], said["releases"][2]
        self.assertEqual([leak["judged_until"], leak["superseded"],
                          leak["did"], leak["outcome"]],
                         [moment(DAY + 10 * HOUR), True, "nothing", "missed"])
        self.assertEqual([short["version"], short["final"],
                          short["refusal"]],
                         ["1.2.1", "",
                          "the next one came before the first look"])

    def test_who_is_left_out(self):
        cart = dict(RELEASES[0], service="cart")
        said, _ = self.run_json([cart, *RELEASES], begin=DAY + 9 * HOUR,
                                end=DAY + 15 * HOUR)
        self.assertEqual([one["version"] for one in said["releases"]],
                         ["1.2.0"])
        self.assertEqual([said["left_out_by_policy"],
                          said["left_out_by_time"]], [1, 2])

    def test_modes_that_only_say_so_count_as_rollbacks(self):
        policy = self.changed("mode: auto", "mode: observe")
        said, _ = self.run_json(policy=policy)
        self.assertEqual([(one["did"], one["acts"], one["mode"])
                          for one in said["releases"][1:]],
                         [("rollback", False, "observe")] * 2)
        self.assertEqual(said["total"]["recall"], 1)

    def test_a_rollback_that_an_interlock_refuses_is_none(self):
        policy = self.changed("if: failing or leaking", "if: failing")
        with open(policy, encoding="utf-8") as file:
            text = file.read()
        text = text.replace("else: healthy", """else:
    question: Is going back safe, then?
    if: release.rollback_safe and leaking
    then: {rollback: last_good}
    else: healthy""")
        policy = self.day.write("refused.yaml", text)
        said, _ = self.run_json(policy=policy)
        leak = said["releases"][1]
        self.assertEqual([leak["did"], leak["outcome"]], ["nothing", "missed"])
        self.assertEqual(leak["not_carried_out"],
                         {"at": moment(LEAK + 82 * 60), "mode": "auto"})
        done = world.backtest(self.day.url, self.releases, policy=policy)
        self.assertIn("nothing; healthy in the end; it said rollback at "
                      "2025-01-05T10:22:00Z (auto), which an interlock "
                      "refused: ", done.stdout)

    def test_several_series_and_a_fact_that_is_not_said_are_unknown(self):
        policy = self.day.write("unknown.yaml", """
policy: unknown
applies_to: {service: shop, environment: "*"}
watch: {for: 1h}
signals:
  twice: {prometheus: twice, select: {service: release.service}, unit: count}
  team: {prometheus: twice, select: {team: release.labels.team}, unit: count}
  none: {prometheus: nosuch, select: {service: release.service}, unit: count}
tree:
  question: Is it known?
  if: twice > 0 or team > 0 or none > 0
  then: {rollback: last_good}
  else: healthy
  unknown: {page: "it is not"}
""")
        said, warned = self.run_json(policy=policy)
        self.assertEqual({one["did"] for one in said["releases"]}, {"page"})
        self.assertEqual(said["rules"][0]["did"], "page")
        self.assertIn("several", said["releases"][0]["why"])
        self.assertIn("none: no data for any release", warned)

    def test_a_story_for_people_and_a_bar_for_terminals(self):
        done = world.backtest(self.day.url, self.releases)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^quiet   2025-01-05T04:00:00Z  shop "
                                      r"1\.1\.0 production  nothing; healthy")
        self.assertRegex(done.stdout, r"(?m)^right .* rollback after 1h22m, at "
                                      r"2025-01-05T10:22:00Z \(auto\): "
                                      r".*saturation")
        self.assertRegex(done.stdout, r"(?m)^ +2 +2 +100% +100% .*all "
                                      r"rollbacks$")
        ours, theirs = pty.openpty()
        with subprocess.Popen(
                [world.BINARY, "backtest", world.POLICY, "--prometheus",
                 self.day.url, "--from", str(DAY), "--to", str(DAY + 20 * HOUR),
                 "--releases", self.releases], stdout=subprocess.PIPE,
                stderr=theirs) as process:
            os.close(theirs)
            seen = b""
            try:
                while chunk := os.read(ours, 4096):
                    seen += chunk
            except OSError:
                pass  # the other end closed
            self.assertEqual(process.stdout.read().decode(), done.stdout)
        os.close(ours)
        self.assertIn(b"\r[##", seen)
        self.assertIn(b"2 of 3 releases", seen)
        self.assertTrue(seen.endswith(b"\r\x1b[K"), seen)

    def test_long_watches_are_fetched_in_slices(self):
        policy = self.changed("watch: {for: 3h, every: 15s",
                              "baseline: 5m\nwatch: {for: 4h, every: 1s")
        said, _ = self.run_json(RELEASES[2:], policy=policy)
        self.assertEqual(said["releases"][0]["did"], "rollback")
        self.assertTrue(105 <= said["releases"][0]["delay_seconds"] <= 180)
        late = dict(RELEASES[2], deployed_at=moment(SPIKE - 13000))
        said, _ = self.run_json([late], policy=policy)  # in the second slice
        self.assertEqual(said["releases"][0]["did"], "rollback")
        self.assertTrue(105 <= said["releases"][0]["delay_seconds"] <= 180)

    def test_a_query_that_prometheus_refuses(self):
        policy = self.changed("prometheus: pool_in_use",
                              "prometheus: rate(pool_in_use)")
        done = world.backtest(self.day.url, self.releases, policy=policy)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Alastgood backtest: pool_in_use of "
                                      r"shop 1\.1\.0: bad_data: .*\n\Z")


if __name__ == "__main__":
    unittest.main()
