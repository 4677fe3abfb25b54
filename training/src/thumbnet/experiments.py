"""Work through a list of runs, several at a time, each resumable: `python -m thumbnet.experiments LIST key=value ...`.

LIST is a TOML file of [[run]] tables: `name`, `options` (of `thumbnet train`, with {key} placeholders for the values
given on the command line; {runs} is required: the folder of all runs), `needs`, names of runs that must be finished
before, and `seeds`, a list that makes one run <name>-seed<n> of each, where {seed} in options and needs is n. A run
with a result.json is finished; one that was interrupted goes on from its checkpoint. Start the command several times
to work on several runs at once: each takes the next one that nobody holds.
"""

import fcntl
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

WAIT_SECONDS = 20


def expand(experiments: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Make one run of each seed."""
    return [run for e in experiments for run in (_seeded(e) if "seeds" in e else [_one(e)])]


def _one(experiment: dict[str, Any]) -> dict[str, str]:
    return {"name": experiment["name"], "needs": experiment.get("needs", ""), "options": experiment["options"]}


def _seeded(experiment: dict[str, Any]) -> Iterator[dict[str, str]]:
    one = _one(experiment)
    for seed in map(str, experiment["seeds"]):
        needs, options = (one[key].replace("{seed}", seed) for key in ("needs", "options"))
        yield {"name": f"{one['name']}-seed{seed}", "needs": needs, "options": f"{options} --seed {seed}"}


def work(experiments: list[dict[str, str]], values: dict[str, str]) -> None:
    """Run whatever is left, in the list's order, until nothing is left that could ever start."""
    runs = Path(values["runs"])
    failed: set[str] = set()

    def finished(name: str) -> bool:
        return (runs / name / "result.json").is_file()

    known = {e["name"] for e in experiments}
    for experiment in experiments:
        unknown = [name for name in experiment["needs"].split() if name not in known and not finished(name)]
        if unknown:
            raise ValueError(f"{experiment['name']} needs {', '.join(unknown)}, which is neither listed nor finished")
    while True:
        failed |= {e["name"] for e in experiments if failed & set(e["needs"].split())}
        left = [e for e in experiments if not finished(e["name"]) and e["name"] not in failed]
        if not left:
            return
        for experiment in (e for e in left if all(finished(name) for name in e["needs"].split())):
            outcome = _attempt(experiment, runs, values)
            if outcome is not None:
                if outcome:
                    failed.add(experiment["name"])
                    print(f"{experiment['name']}: failed ({outcome}), see its log", flush=True)
                break
        else:
            time.sleep(WAIT_SECONDS)


def _attempt(experiment: dict[str, str], runs: Path, values: dict[str, str]) -> int | None:
    """Run one experiment unless another process holds it; its exit code, or None."""
    name = experiment["name"]
    runs.mkdir(parents=True, exist_ok=True)
    with (runs / f"{name}.lock").open("w") as lock, (runs / f"{name}.log").open("a") as log:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        if (runs / name / "result.json").is_file():
            return 0
        options = [word.format(**values) for word in shlex.split(experiment["options"])]  # values may hold spaces
        print(time.strftime("%H:%M:%S"), name, flush=True)
        command = [sys.executable, "-m", "thumbnet", "train"]
        return subprocess.run([*command, "--out", str(runs / name), *options], stdout=log, stderr=log).returncode


if __name__ == "__main__":
    listed = expand(tomllib.loads(Path(sys.argv[1]).read_text())["run"])
    work(listed, dict(a.split("=", 1) for a in sys.argv[2:]))
