"""Compiles Stan programs with the headers and the compiler that come with the package httpstan.

    build_stan.py BUILD MODEL.stan ...

Writes BUILD/<model> and prints the seconds of stanc and of the C++ compiler as JSON, one line a model."""
import importlib.util
import json
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
STAN = pathlib.Path(importlib.util.find_spec("httpstan").origin).parent


def build(folder: pathlib.Path, model: pathlib.Path) -> dict:
    generated = (folder / f"{model.stem}.gen.cpp").resolve()
    start = time.perf_counter()
    subprocess.run([STAN / "stanc", "--name", f"{model.stem}_model", "-o", generated, model], check=True)
    translated = time.perf_counter()
    command = ["g++", "-std=c++17", "-O3", "-march=native", "-w", "-DBOOST_DISABLE_ASSERTS", "-D_REENTRANT",
               f'-DMODEL_CPP="{generated}"', "-I", STAN / "include", "-I", HERE, HERE / "stan_driver.cpp",
               "-o", folder / model.stem, "-L", STAN / "lib", f"-Wl,-rpath,{STAN}/lib", "-l:libtbb.so.2"]
    subprocess.run(command, check=True)
    done = time.perf_counter()
    return {"model": model.stem, "stanc_s": round(translated - start, 3), "cpp_s": round(done - translated, 2)}


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:]:
        print(json.dumps(build(folder, pathlib.Path(name))), flush=True)
