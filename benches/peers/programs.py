"""How each program of the comparison is called, and what it answers."""
import json
import os
import pathlib
import subprocess
import sys

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "models"


class Programs:
    def __init__(self, arguments):
        self.data, self.build, self.hbdc = (pathlib.Path(p).resolve() for p in (arguments.data, arguments.build, arguments.hbdc))
        self.seconds = arguments.seconds
        self.gradient_file = self.build / f"gradient-{os.getpid()}.f64"

    def run(self, command, threads=1):
        """Standard output and standard error of a program that may use so many cores."""
        cores = ",".join(str(core) for core in range(threads))
        environment = os.environ | {"RAYON_NUM_THREADS": str(threads)}
        done = subprocess.run(["taskset", "-c", cores, *map(str, command)], env=environment, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(map(str, command))}\n{done.stderr}")
        return done.stdout, done.stderr

    def hbd_file(self, name):
        own = HERE / "models" / f"{name}.hbd"
        return own if own.exists() else MODELS / f"{name}.hbd"

    def hbdc_data(self, data_set):
        folder = self.data / data_set
        tables = ["--table", f"movies={folder}/movies.csv"] if (folder / "movies.csv").exists() else []
        return ["--data", folder / "rows.csv", *tables]

    def hbdc_gradient(self, data_set, model, threads, checked):
        """Of the second point only what is to be checked: timing is at the first."""
        folder = self.data / data_set
        command = [self.hbdc, "density", self.hbd_file(model), *self.hbdc_data(data_set), "--unconstrained"]
        point = self.build / f"point-{os.getpid()}.f64"
        positions = np.fromfile(folder / "points_hbdc.f64").reshape(2, -1)
        positions[0].tofile(point)
        once = json.loads(self.run([*command, point, "--repeat", 1], threads)[0])["points"][0]["median_s"]
        repeats = int(np.clip(self.seconds / once, 7, 10_000))
        answer = json.loads(self.run([*command, point, "--repeat", repeats], threads)[0])["points"][0]
        point.unlink()
        if checked:
            both = json.loads(self.run([*command, folder / "points_hbdc.f64", "--gradient"], threads)[0])["points"]
            answer["log_density"] = [at["log_density"] for at in both]
            gradients = np.empty(positions.shape)
            gradients[:, np.fromfile(folder / "order.i32", "<i4")] = [at["gradient"] for at in both]
            answer["gradients"] = gradients
        return answer

    def peer_gradient(self, command, data_set, checked, threads=1, extra=()):
        out = self.run([*command, self.data / data_set, self.seconds, self.gradient_file, *extra], threads)[0]
        answer = json.loads(out)
        if checked:
            answer["gradients"] = np.fromfile(self.gradient_file).reshape(2, -1)
        self.gradient_file.unlink()
        return answer

    def gradient(self, program, data_set, threads, checked):
        """Seconds of value and gradient, and these at two points where `checked`."""
        kind, _, variant = program.partition(" ")
        if kind == "hbdc":
            return self.hbdc_gradient(data_set, data_set, threads, checked)
        if kind == "hand":
            return self.peer_gradient([self.build / "hand", data_set], data_set, checked, threads, [threads])
        if kind == "JAX":
            return self.peer_gradient([sys.executable, HERE / "jax_gradient.py", data_set], data_set, checked, threads)
        model = f"{data_set}_{variant}" if variant else data_set
        return self.peer_gradient([self.build / model], data_set, checked)

    def hbdc_compile_seconds(self, model):
        """From text to the first gradient on a few made-up rows."""
        lines = "".join(self.run([self.hbdc, "dump", "--timings", self.hbd_file(model)])).splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("total")) / 1e3
