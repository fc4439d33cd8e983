"""Turn sweep.json into the two tables and the picture of the book's page "Sweep on a cluster".

python benchmarks/plan.py
"""

import json
import math
import statistics

import matplotlib.pyplot as plt
import sweep
from matplotlib.ticker import StrMethodFormatter
from report import BOOK, put, save

import vaelib

NUM_RUNS = 1000
MACHINES = (1, 10, 100)
# Those of the machine it was measured on, and of a larger one.
CORES = {2: "#1f77b4", 16: "#d95f02"}


def main():
    """Write the two tables into the page, and the picture."""
    measured = json.loads((sweep.speed.FOLDER / "sweep.json").read_text())
    put(BOOK / "sweep.md", "sweep", sweep_table(measured))
    put(BOOK / "sweep.md", "plan", plan_table(measured))
    save(curves(*costs(measured)), BOOK / "static/plan.png")


def costs(measured):
    """Return the seconds of a worker before its first run, and of a run of the book on its one core.

    Taken from the cluster with the most workers: its cores are all busy, as they will be. A run's epochs are scaled to
    their full number; what it costs besides them is not.
    """
    num_workers = max(measured["results"], key=int)
    result, work, spec = measured["results"][num_workers], measured["work"], vaelib.RunSpec()
    epoch_seconds = statistics.median(result["epoch_seconds"])
    core_seconds = statistics.median(result["seconds"]) * int(num_workers) / work["runs"]
    besides = max(0.0, core_seconds - work["epochs"] * epoch_seconds)
    return result["start_seconds"], besides + spec.num_steps * epoch_seconds / work["steps_per_epoch"]


def plan(machines, cores, start_seconds, run_seconds, num_runs=NUM_RUNS):
    """Return (waves, seconds) of equal runs, a core each; the last wave may leave cores idle."""
    waves = math.ceil(num_runs / (machines * cores))
    return waves, start_seconds + waves * run_seconds


def sweep_table(measured):
    """Return what was measured as a Markdown table, with its date and machine."""
    work, machine = measured["work"], measured["machine"]
    results = {int(num_workers): result for num_workers, result in measured["results"].items()}
    rates = sweep.throughput(results, work["runs"])
    base, *_ = rates.values()
    lines = [
        "| workers | min | **median** | max | runs per minute | ratio | start | peak memory of a worker |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for num_workers, result in results.items():
        seconds = result["seconds"]
        lines.append(
            f"| {num_workers} | {min(seconds):.1f} | **{statistics.median(seconds):.1f}** | {max(seconds):.1f} "
            f"| {rates[num_workers]:.2f} | {rates[num_workers] / base:.2f} | {result['start_seconds']:.1f} "
            f"| {result['peak_megabytes']:,.0f} MB |"
        )
    rounds = "1 round" if work["rounds"] == 1 else f"{work['rounds']} rounds in turn"
    lines += [
        "",
        f"Seconds for {work['runs']} runs of {work['epochs']} epochs of {work['num_train']:,} images, {rounds}, "
        f"{measured['date']}, on {machine['cores']} cores of an {machine['cpu']} ({machine['system']}, Python "
        f"{machine['python']}). *Ratio* is that of the throughput, of which {sweep.AIM} is the aim for two workers on "
        "two cores. *Start*, which is not part of the other columns, is from nothing to workers that have all trained "
        "one epoch.",
    ]
    return "\n".join(lines) + "\n"


def plan_table(measured):
    """Return the plan as a Markdown table, with the costs it is made of."""
    start_seconds, run_seconds = costs(measured)
    lines = [
        "| machines | cores each | waves | **wall time** | core-hours booked | of them used |",
        "|---|---|---|---|---|---|",
    ]
    for cores in CORES:
        for machines in MACHINES:
            waves, seconds = plan(machines, cores, start_seconds, run_seconds)
            booked, used = machines * cores * seconds / 3600, NUM_RUNS * run_seconds / 3600
            lines.append(
                f"| {machines} | {cores} | {waves} | **{duration(seconds)}** | {booked:,.0f} | {used / booked:.0%} |"
            )
    gigabytes, spec = NUM_RUNS * measured["megabytes_per_run"] / 1000, vaelib.RunSpec()
    lines += [
        "",
        f"{NUM_RUNS:,} runs of {spec.num_epochs} epochs of {spec.num_train:,} images, at {run_seconds:,.0f} seconds on "
        f"one core each and {start_seconds:.0f} seconds until a worker is ready. The client fetches all their files, "
        f"{gigabytes:.1f} GB: {gigabytes * 8:.0f} seconds of a network of 1 Gbit/s.",
    ]
    return "\n".join(lines) + "\n"


def duration(seconds):
    """Return a duration in the unit that suits, with two digits."""
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 36_000 else f"{seconds / 3600:.0f} h"


def curves(start_seconds, run_seconds):
    """Draw hours against the number of machines, a staircase that ends at the length of one run."""
    figure, ax = plt.subplots(figsize=(7, 3.5), layout="constrained")
    for cores, color in CORES.items():
        hours = [plan(n, cores, start_seconds, run_seconds)[1] / 3600 for n in range(1, NUM_RUNS + 1)]
        ax.step(range(1, NUM_RUNS + 1), hours, where="post", color=color, label=f"{cores} cores each")
        ax.plot(MACHINES, [hours[n - 1] for n in MACHINES], "o", color=color)
    floor = (start_seconds + run_seconds) / 3600
    ax.axhline(floor, color="#555555", linestyle="--")
    ax.text(1, floor, "start, and one run", color="#555555", va="bottom")
    ax.set(xscale="log", yscale="log", xlabel="machines", ylabel=f"hours for {NUM_RUNS:,} runs")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    return figure


if __name__ == "__main__":
    main()
