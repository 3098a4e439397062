#!/usr/bin/python3
"""Replay beside what else could judge a month: a plain loop, and Prometheus.

    tests/bench/compare_replay.py LASTGOOD

30 days at 15 s.  The same two thresholds, each for 2 min, by `lastgood replay
--continue`, by the shortest loop in Python that reads the same table, and by
`promtool test rules` (where it is installed); then the whole printed policy.
Each is a process of its own, start to end; what counts is the least processor
time of several rounds, for what others do on the machine only adds.  It
measures; nothing is asserted.
"""
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve()
PRINTED = HERE.parents[2] / "policies/library/user-service.yaml"
START, EVERY, ROWS = 1725148800, 15, 30 * 86400 // 15

TWO_THRESHOLDS = """\
policy: two-thresholds
mode: auto
signals:
  errors: {prometheus: errors, unit: per_second, on_no_data: zero}
  requests: {prometheus: requests, unit: per_second}
  latency: {prometheus: latency, unit: seconds}
tree:
  question: Are users hurt?
  if: (errors / requests > 5% and requests > 1/s) for 2m or latency > 500ms for 2m
  then: {page: users are hurt}
  else: healthy
"""

LOOP = """\
import csv, sys
hurt = slow = 0
with open(sys.argv[1]) as file:
    rows = csv.reader(file)
    next(rows)
    for row in rows:
        errors = float(row[1]) if row[1] else 0.0
        requests, latency = float(row[2]), float(row[3])
        hurt = hurt + 1 if errors / requests > 0.05 and requests > 1 else 0
        slow = slow + 1 if latency > 0.5 else 0
        if hurt >= 8 or slow >= 8:
            print(row[0], "users are hurt")
"""

RULES = """\
groups:
  - name: two
    interval: 15s
    rules:
      - {alert: Hurt, for: 2m, expr: errors / requests > 0.05 and requests > 1}
      - {alert: Slow, for: 2m, expr: latency > 0.5}
"""


def month(folder):
    """A quiet month: noise, in four decimals; returns its columns."""
    dice = random.Random(1)
    columns = {"errors": [], "requests": [], "latency": [], "pool_in_use": []}
    with open(folder / "few.csv", "w") as few, open(folder / "pool.csv", "w") as pool:
        few.write("time,errors,requests,latency\n")
        pool.write("time,errors,requests,pool_in_use,pool_size\n")
        for i in range(ROWS):
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(START + i * EVERY))
            row = {"errors": 0.02 + 0.06 * dice.random(), "requests": 100 + 20 * dice.random(),
                   "latency": 0.1 + 0.02 * dice.random(), "pool_in_use": 150 + 10 * dice.random()}
            texts = {name: f"{number:.4f}" for name, number in row.items()}
            for name, text in texts.items():
                columns[name].append(text)
            few.write(f"{at},{texts['errors']},{texts['requests']},{texts['latency']}\n")
            pool.write(f"{at},{texts['errors']},{texts['requests']},{texts['pool_in_use']},500\n")
    return columns


def rules_test(folder, columns):
    (folder / "rules.yaml").write_text(RULES)
    series = "".join(f"      - {{series: {name}, values: '{' '.join(columns[name])}'}}\n"
                     for name in ("errors", "requests", "latency"))
    (folder / "rules.test.yaml").write_text(
        "rule_files: [rules.yaml]\nevaluation_interval: 15s\ntests:\n  - interval: 15s\n"
        f"    input_series:\n{series}"
        "    alert_rule_test:\n      - {eval_time: 30d, alertname: Hurt, exp_alerts: []}\n")


def spent_ms():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (usage.ru_utime + usage.ru_stime) * 1000


def least_ms(command, rounds):
    spent = []
    for _ in range(rounds):
        begin = spent_ms()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        spent.append(spent_ms() - begin)
    return min(spent)


def tell(what, spent):
    print(f"{what:<44} {spent:9.1f} ms")


def main():
    with tempfile.TemporaryDirectory() as made:
        folder = pathlib.Path(made)
        columns = month(folder)
        (folder / "two.yaml").write_text(TWO_THRESHOLDS)
        (folder / "loop.py").write_text(LOOP)

        def replay(policy, samples):
            return [sys.argv[1], "replay", str(policy), "--samples", str(folder / samples),
                    "--continue", "--format", "json"]

        two = least_ms(replay(folder / "two.yaml", "few.csv"), 9)
        printed = least_ms(replay(PRINTED, "pool.csv"), 5)
        loop = least_ms([sys.executable, str(folder / "loop.py"), str(folder / "few.csv")], 5)
        tell("lastgood replay, two thresholds", two)
        tell("lastgood replay, user-service.yaml", printed)
        tell("a loop in Python, two thresholds", loop)
        print(f"  two thresholds: {loop / two:.1f} x as fast as the loop (goal 4)")
        if shutil.which("promtool"):
            rules_test(folder, columns)
            promtool = least_ms(["promtool", "test", "rules", str(folder / "rules.test.yaml")], 1)
            tell("promtool test rules, two thresholds", promtool)
            print(f"  two thresholds: {promtool / two:.0f} x as fast as promtool (goal 200)")
            print(f"  user-service.yaml: {promtool / printed:.0f} x as fast as promtool (goal 30)")


if __name__ == "__main__":
    main()
