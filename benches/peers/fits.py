"""The rows of the comparison that are about fitting."""
import json
import shutil
import sys

from programs import HERE

N_USERS = 20_000
BLOCKS = 12
STEPS = {100: 400, 1000: 100}  # of hbdc, by branches in a batch
SECONDS = 60
HBDC = {
    "hbdc, pooled, batch 100": (100, ["--encoder", "pooled", "--particles", 1]),
    "hbdc, pooled, batch 1000": (1000, ["--encoder", "pooled", "--particles", 1]),
    "hbdc, default guide, 4 particles, batch 1000": (1000, ["--particles", 4]),
}
PEERS = {
    "JAX, batch 100": ["jax_amortized.py", 100, "--blocks", BLOCKS],
    "JAX, batch 1000": ["jax_amortized.py", 1000, "--blocks", BLOCKS],
    "NumPyro, batch 100": ["numpyro_amortized.py", 100, BLOCKS],
    "NumPyro, batch 1000": ["numpyro_amortized.py", 1000, BLOCKS],
}


def stan_compile_seconds(programs, model):
    command = [sys.executable, HERE / "build_stan.py", programs.build / "again", HERE / "models" / f"{model}.stan"]
    answer = json.loads(programs.run(command)[0])
    return answer["stanc_s"] + answer["cpp_s"]


def hbdc_fit(programs, options):
    """Steps, seconds since the start and ELBO of each look, and the last lines of what is printed."""
    out = programs.build / "ratings.fit"
    command = [programs.hbdc, "fit", programs.hbd_file("ratings"), *programs.hbdc_data("ratings"), "--out", out, "--force",
               "--progress", "json", "--threads", 2, "--allow-poor-fit", *options]
    stdout, stderr = programs.run(command, 2)
    shutil.rmtree(out)
    events = [json.loads(line) for line in stderr.splitlines() if line.startswith("{")]
    looks = [(event["step"], event["seconds"], event["elbo"]) for event in events if event["event"] == "step"]
    told = next(line for line in stdout.splitlines() if line.startswith("ELBO"))
    return looks, told


def epoch_rows(programs, show):
    """An epoch of hbdc is so many steps as see each branch once, between two looks at the ELBO and with one of them; for each
    program, epochs by blocks of steps."""
    peer = lambda name: json.loads(programs.run(
        [sys.executable, HERE / PEERS[name][0], programs.data / "ratings", *PEERS[name][1:]], 2)[0])["epoch_s"]
    seconds = {}
    for name, (batch, options) in HBDC.items():
        looks, _ = hbdc_fit(programs, ["--batch", batch, "--max-steps", STEPS[batch], *options])
        pairs = zip(looks, looks[1:])
        seconds[name] = [(b[1] - a[1]) / (b[0] - a[0]) * N_USERS / batch for a, b in pairs]
        for other in PEERS:
            if other not in seconds or other.endswith(f"batch {batch}"):
                seconds.setdefault(other, []).extend(peer(other))
    show("epoch of ratings, 2 threads", seconds, paired=False)


def elbo_rows(programs):
    """The ELBO of all users over seconds. hbdc looks at a part of them: here each look is shifted by what the last one is off
    from the ELBO of all that is measured at the end."""
    command = [sys.executable, HERE / "jax_amortized.py", programs.data / "ratings", 100, "--seconds", SECONDS,
               "--elbo-every", 5]
    curve = json.loads(programs.run(command, 2)[0])["curve"]
    looks, told = hbdc_fit(programs, [])
    shift = float(told.split()[1]) - looks[-1][2]
    print(f"# hbdc at the end: {told}; looks are shifted by {shift:.0f}")
    for name, seen in [("hbdc", [(seconds, elbo + shift) for _, seconds, elbo in looks]), ("JAX", curve)]:
        when = next(f"{seconds:.1f} s" for seconds, elbo in seen if elbo >= curve[-1][1])
        print(f"| ELBO of JAX after {SECONDS} s, 2 threads | {name} | {when} | first look {seen[0][0]:.1f} s {seen[0][1]:.0f}, "
              f"last {seen[-1][0]:.1f} s {seen[-1][1]:.0f} |", flush=True)
