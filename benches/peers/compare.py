"""Compares hbdc with its peers, one row of a table at a time, programs taking turns.

    compare.py [--rounds 5] [--seconds 1] --data DATA --build BUILD --hbdc HBDC ROW ...

Rows: gradient-ratings gradient-regression gradient-rats gradient-survey gradient-ticks compile epoch elbo; `all` is all of
them. Before a row of gradients is timed, log densities and gradients of all its programs must agree. Each program prints the
median of blocks of evaluations; here stand median and range of these over rounds, and the median over rounds of the ratio to
hbdc of the same round."""
import argparse
import statistics

import numpy as np

import fits
from programs import Programs

TOLERANCE = 1e-9
GRADIENTS = {
    "ratings": ["hbdc", "hand", "Stan glm", "Stan vec", "Stan loop", "JAX"],
    "regression": ["hbdc", "hand", "Stan glm", "Stan vec", "Stan loop", "JAX"],
    "rats": ["hbdc", "Stan"],
    "survey": ["hbdc", "Stan"],
    "ticks": ["hbdc", "Stan"],
}
ON_TWO_THREADS = {"ratings": ["hbdc", "hand"], "regression": ["hbdc", "hand"]}


def disagreement(ours, theirs):
    """The largest of: difference of the changes of the log density from point to point, which knows no constants, to its
    size; and the difference of gradients to the largest element."""
    (a, b), (c, d) = ours["log_density"], theirs["log_density"]
    densities = abs((a - b) - (c - d)) / max(abs(a), abs(b), 1.0)
    gradients = np.abs(ours["gradients"] - theirs["gradients"]).max(axis=1) / np.abs(theirs["gradients"]).max(axis=1)
    return max(densities, *gradients)


def check(programs, data_set):
    answers = {name: programs.gradient(name, data_set, 1, True) for name in GRADIENTS[data_set]}
    for name, answer in answers.items():
        if name != "hbdc":
            off = disagreement(answers["hbdc"], answer)
            print(f"# {data_set}: {name} and hbdc differ by {off:.1e}", flush=True)
            if not off <= TOLERANCE:
                raise SystemExit(f"{name} and hbdc do not compute the same")


def show(row, seconds, paired=True):
    """`seconds`: for each program those of each round. Where rounds are not paired the ratio is that of medians."""
    first = next(iter(seconds))
    for name, times in seconds.items():
        ratios = [theirs / ours for theirs, ours in zip(times, seconds[first])]
        ratios = ratios if paired else [statistics.median(times) / statistics.median(seconds[first])]
        print(f"| {row} | {name} | {spread(times)} | {spread(ratios) if name != first else '1'} |", flush=True)


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def turns(measures, rounds):
    seconds = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            seconds[name].append(measure())
    return seconds


def gradient_rows(programs, data_set, rounds):
    check(programs, data_set)
    for threads, names in [(1, GRADIENTS[data_set]), (2, ON_TWO_THREADS.get(data_set, []))]:
        measures = {name: lambda name=name: programs.gradient(name, data_set, threads, False)["median_s"] for name in names}
        if names:
            show(f"gradient {data_set}, {threads} thread{'s' if threads > 1 else ''}", turns(measures, rounds))


def compile_rows(programs, rounds):
    """Of JAX without importing it; of Stan once, as a minute needs no third digit."""
    for model in ("ratings", "regression"):
        ours = lambda: programs.hbdc_compile_seconds(model)
        jax = lambda: programs.gradient("JAX", model, 1, False)["compile_s"]
        row = f"text to first gradient, {model}"
        show(row, turns({"hbdc": ours, "JAX": jax}, rounds))
        show(row, {"hbdc": [ours()], "Stan glm": [fits.stan_compile_seconds(programs, f"{model}_glm")]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("data", "build", "hbdc"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of evaluations by each program in each round")
    parser.add_argument("rows", nargs="+")
    arguments = parser.parse_args()
    programs = Programs(arguments)
    rows = [f"gradient-{name}" for name in GRADIENTS] + ["compile", "epoch", "elbo"]
    print("| row | program | seconds | ratio to hbdc |\n|---|---|---|---|", flush=True)
    for row in rows if arguments.rows == ["all"] else arguments.rows:
        if row.startswith("gradient-"):
            gradient_rows(programs, row.removeprefix("gradient-"), arguments.rounds)
        elif row == "compile":
            compile_rows(programs, arguments.rounds)
        elif row == "epoch":
            fits.epoch_rows(programs, show)
        elif row == "elbo":
            fits.elbo_rows(programs)
        else:
            raise SystemExit(f"no row {row}; there are {', '.join(rows)}")


if __name__ == "__main__":
    main()
