#!/usr/bin/python3
"""Can the simulator find bugs?  Puts each of mutants.txt into a copy of the
tree, one after the other, and runs worlds until a checker speaks.

    mutants.py --check            does every mutant still fit the tree?
    mutants.py [--worlds N] [--only WORD] [--build FOLDER]
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
LEAST = 20


def read_mutants():
    """[(sentence, file, old, new)]"""
    text = re.sub(r"^#.*\n", "", (HERE / "mutants.txt").read_text(), flags=re.M)
    mutants = []
    for block in re.split(r"\n\s*\n", text.strip()):
        sentence, path, *lines = block.splitlines()
        old = "\n".join(line[1:] for line in lines if line.startswith("-"))
        new = "\n".join(line[1:] for line in lines if line.startswith("+"))
        mutants.append((sentence, path, old, new))
    return mutants


def misfits(mutants):
    for sentence, path, old, new in mutants:
        count = (ROOT / path).read_text().count(old) if (ROOT / path).is_file() else 0
        if not old or old == new or count != 1:
            yield f"{path}: mutant '{sentence}': what it replaces is there {count} times"


def copy_tree(folder):
    """All is new, or what was built of the last mutant would be newer."""
    source = folder / "source"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns("build", ".git", "corpus"),
                    copy_function=shutil.copy)
    return source


def run(*command, **more):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)


def build(folder):
    done = run("ninja", "-C", folder / "build", "simulator")
    if done.returncode != 0:
        sys.exit(done.stdout[-3000:])


def prepare(folder):
    source = copy_tree(folder)
    more = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    # A mutant may leave something unused, and say strange things.
    done = run("cmake", "-S", source, "-B", folder / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
               "-DLASTGOOD_TESTS=OFF", "-DLASTGOOD_BENCH=ON", "-DCMAKE_C_FLAGS=-Wno-error -w", *more)
    if done.returncode != 0:
        sys.exit(done.stderr)
    build(folder)
    return source


def hunt(folder, worlds):
    """(checker, worlds until it spoke, its sentence), or None"""
    simulator = folder / "build/tests/simulator/simulator"
    done = run(simulator, "--worlds", worlds, "--brief")
    found = re.search(r"^seed (\d+): (\S+): (.*)$", done.stdout, re.M)
    return (found.group(2), int(found.group(1)), found.group(3)) if found else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--worlds", type=int, default=20000)
    parser.add_argument("--only", default="")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/mutants")
    options = parser.parse_args()
    mutants = read_mutants()
    wrong = list(misfits(mutants))
    if len(mutants) < LEAST:
        wrong.append(f"mutants.txt: {len(mutants)} mutants, at least {LEAST}")
    if wrong or options.check:
        print("\n".join(wrong) or f"all {len(mutants)} mutants fit the tree")
        sys.exit(bool(wrong))
    options.build.mkdir(parents=True, exist_ok=True)
    source = prepare(options.build)
    if hunt(options.build, 1000):
        sys.exit("the simulator finds something without a mutant: mend that first")
    print(f"{'found by':<16} {'worlds':>7}  mutant")
    lived = 0
    for sentence, path, old, new in mutants:
        if options.only not in sentence:
            continue
        text = (source / path).read_text()
        (source / path).write_text(text.replace(old, new))
        build(options.build)
        found = hunt(options.build, options.worlds)
        (source / path).write_text(text)
        lived += found is None
        print(f"{found[0] if found else 'NOT FOUND':<16} {found[1] if found else options.worlds:>7}  {sentence}",
              flush=True)
    print(f"{lived} of {len(mutants)} lived" if lived else "every mutant was found")
    sys.exit(bool(lived))


main()
