#!/usr/bin/env python3
"""Runs the alternatives beside nnqft-gpu on this machine and prints ratios.

    benches/peers.py [--torch] [--rounds 5] [--jobs relu:100,erf:2] [--here] [--binary PATH]

Makes a virtual environment in target/peers (NumPy and JAX; PyTorch with --torch, some
gigabytes) and builds the release binary. With --here the packages of this interpreter are
taken as they are: JAX then runs on a GPU if that is where it is installed for, and so do ours.
Every round runs all contenders once, one after the other; a ratio is the median over rounds of
its two rates in the same round, because absolute times drift on shared machines and ratios do not.

The job of every contender: networks with 6 inputs, the averages of all products of 2, 4 and 6
outputs (21 + 126 + 462 elements). Compilation by JAX is not counted; ours, of shaders, is, except
in the row 'gpu compiled'.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from itertools import combinations_with_replacement
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "target" / "peers"
PACKAGES = ["numpy==2.4.6", "jax==0.10.2"]
POINTS = {
    "erf": [-1.0, -0.6, -0.2, 0.2, 0.6, 1.0],
    "relu": [0.2, 0.4, 0.6, 0.8, 1.0, 1.2],
    "gauss": [-0.01, -0.006, -0.002, 0.002, 0.006, 0.01],
}
ORDERS = (2, 4, 6)


def add_options(parser):
    """The options of every comparison with JAX."""
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--here", action="store_true", help="this interpreter's own packages")
    parser.add_argument("--binary", type=Path, help="nnqft-gpu as it is, not built")


def begin(options, torch=False):
    """Enters the virtual environment, unless told to stay, and returns the binary."""
    if not options.here:
        environment(torch)
    return options.binary or build()


def on_gpu():
    """Whether JAX runs on a GPU."""
    import jax

    return jax.default_backend() == "gpu"


def where():
    """The day and the machine."""
    machine = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        machine = f"{len(models)} x {models[0]}" if models else machine
    if on_gpu():
        import jax

        machine += f", JAX on {jax.devices()[0].device_kind}"
    return f"{time.strftime('%Y-%m-%d')}, {machine}"


def experiments_of_a_run():
    """Experiments of 10^6 networks in a short run and in a long one: a card needs more to do."""
    return (10, 1000) if on_gpu() else (1, 10)


def environment(torch):
    """Runs this script again inside its virtual environment."""
    python = VENV / "bin" / "python"
    if Path(sys.prefix).resolve() != VENV.resolve():
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
        packages = PACKAGES + (["torch"] if torch else [])
        subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True)
        os.execv(python, [python, *sys.argv])


# Ours.


def build():
    subprocess.run(["cargo", "build", "--release", "--locked", "--quiet"], cwd=ROOT, check=True)
    return ROOT / "target" / "release" / "nnqft-gpu"


def document(binary, *options):
    run = subprocess.run([binary, "ensemble", "--json", *options], check=True, capture_output=True)
    documents = json.loads(run.stdout)
    return documents[0] if isinstance(documents, list) else documents


def ours(binary, backend, arch, width, experiments):
    """Networks per second of a run's sampling, pipelines included."""
    options = f"--arch {arch} --width {width} --nets 1e6 --experiments {experiments}"
    run = document(binary, *options.split(), "--backend", backend)
    return experiments * 1e6 / seconds(run)


def seconds(run):
    """Seconds of sampling and accumulation, and of the compilation of shaders before."""
    return run["timing"]["wall_s"] + run["timing"].get("compile_s", 0.0)


# Theirs: each maker returns a function that runs one batch, and the batch's networks.


def biases(arch):
    return 0.0 if arch == "relu" else 1.0


def jax_peer(arch, width, batch, moments, generator):
    import jax
    import jax.numpy as jnp
    import numpy as np

    x = jnp.array(POINTS[arch], dtype=jnp.float32)
    sigma_b = biases(arch)
    gathers = [np.array(list(combinations_with_replacement(range(6), n))) for n in ORDERS]
    pairs, triples = (
        np.array(list(combinations_with_replacement(range(6), n))) for n in (2, 3)
    )

    def fields(key):
        shape = (batch, width)
        k = jax.random.split(key, 4)
        w0 = jax.random.normal(k[0], shape)
        z = w0[:, :, None] * x
        if sigma_b:
            z += jax.random.normal(k[1], shape)[:, :, None]
        if arch == "erf":
            h = jax.scipy.special.erf(z)
        elif arch == "relu":
            h = jax.nn.relu(z)
        else:
            h = jnp.exp(z - (1.0 + x * x))
        w1 = jax.random.normal(k[2], shape) / jnp.sqrt(float(width))
        f = jnp.einsum("bj,bjp->bp", w1, h)
        if sigma_b:
            f += jax.random.normal(k[3], (batch, 1))
        return f

    def gathered(f):
        return [jnp.prod(f[:, g], axis=2).mean(axis=0) for g in gathers]

    def matrices(f):
        # All products of 4 are products of pairs, of 6 products of triples.
        p, t = jnp.prod(f[:, pairs], axis=2), jnp.prod(f[:, triples], axis=2)
        return [m.T @ m / batch for m in (f, p, t)]

    reduce = gathered if moments == "gathered" else matrices
    step = jax.jit(lambda key: reduce(fields(key)))
    impl = {"threefry": "threefry2x32", "rbg": "unsafe_rbg"}[generator]
    keys = iter(jax.random.split(jax.random.key(0, impl=impl), 100_000))
    jax.block_until_ready(step(next(keys)))
    return lambda: jax.block_until_ready(step(next(keys))), batch


def numpy_peer(arch, width, batch):
    import numpy as np

    x = np.array(POINTS[arch], dtype=np.float32)
    sigma_b = biases(arch)
    pairs, triples = (
        np.array(list(combinations_with_replacement(range(6), n))) for n in (2, 3)
    )
    # No erf in NumPy: Abramowitz and Stegun 7.1.26, good to f32's purposes here.
    def erf(z):
        t = 1.0 / (1.0 + 0.3275911 * np.abs(z))
        p = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t
             + 0.254829592) * t
        return np.copysign(1.0 - p * np.exp(-z * z), z)

    def half(rng, size):
        w0 = rng.standard_normal((size, width, 1), dtype=np.float32)
        z = w0 * x
        if sigma_b:
            z += rng.standard_normal((size, width, 1), dtype=np.float32)
        if arch == "erf":
            h = erf(z)
        elif arch == "relu":
            h = np.maximum(z, 0)
        else:
            h = np.exp(z - (1.0 + x * x))
        w1 = rng.standard_normal((size, 1, width), dtype=np.float32) / np.float32(width) ** 0.5
        f = (w1 @ h)[:, 0, :]
        if sigma_b:
            f += rng.standard_normal((size, 1), dtype=np.float32)
        p, t = f[:, pairs].prod(axis=2), f[:, triples].prod(axis=2)
        return [m.T @ m for m in (f, p, t)]

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    rngs = [np.random.Generator(np.random.SFC64(i)) for i in range(cores)]

    def step():
        # NumPy lets go of the interpreter's lock in all of these.
        threads = [threading.Thread(target=half, args=(r, batch // cores)) for r in rngs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return step, batch // cores * cores


def torch_peer(arch, width):
    """A loop over networks, one module each, as in published scripts; moments by einsum."""
    import torch

    x = torch.tensor(POINTS[arch]).reshape(6, 1)
    sigma_b = biases(arch)

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = torch.nn.Linear(1, width, bias=sigma_b > 0)
            self.readout = torch.nn.Linear(width, 1, bias=sigma_b > 0)
            torch.nn.init.normal_(self.hidden.weight, 0.0, 1.0)
            torch.nn.init.normal_(self.readout.weight, 0.0, width**-0.5)
            if sigma_b:
                torch.nn.init.normal_(self.hidden.bias, 0.0, sigma_b)
                torch.nn.init.normal_(self.readout.bias, 0.0, sigma_b)

        def forward(self, x):
            z = self.hidden(x)
            if arch == "erf":
                h = torch.erf(z)
            elif arch == "relu":
                h = torch.relu(z)
            else:
                h = torch.exp(z - (1.0 + x * x))
            return self.readout(h)

    batch = 1000

    def step():
        with torch.no_grad():
            f = torch.cat([Net()(x).T for _ in range(batch)])
            torch.einsum("bi,bj->ij", f, f)
            torch.einsum("bi,bj,bk,bl->ijkl", f, f, f, f)
            torch.einsum("bi,bj,bk,bl,bm,bn->ijklmn", f, f, f, f, f, f)

    return step, batch


def rate(step, batch, seconds):
    """Networks per second over at least `seconds`."""
    done, start = 0, time.perf_counter()
    while True:
        step()
        done += batch
        spent = time.perf_counter() - start
        if spent >= seconds:
            return done / spent


def best_jax(arch, width, moments):
    """The fastest batch and generator, by a short trial of each."""
    batches = (300, 1000, 3000) if width >= 100 else (3000, 10_000, 30_000)
    if on_gpu():
        batches = tuple(100 * batch for batch in batches)
    trials = {}
    for generator in ("threefry", "rbg"):
        for batch in batches:
            peer = jax_peer(arch, width, batch, moments, generator)
            trials[generator, batch] = (rate(*peer, 0.5), peer)
    choice = max(trials, key=lambda k: trials[k][0])
    return f"{choice[0]}, batches of {choice[1]}", trials[choice][1]


def compare(binary, arch, width, options):
    peers, notes = {}, []
    for moments in ("matrices", "gathered"):
        note, peer = best_jax(arch, width, moments)
        notes.append(f"jax {moments}: {note}")
        peers[f"jax {moments}"] = peer
    if not on_gpu():
        peers["numpy"] = numpy_peer(arch, width, 2000 if width >= 100 else 20_000)
    if options.torch:
        peers["torch loop"] = torch_peer(arch, width)
    rounds = []
    for _ in range(options.rounds):
        row = {}
        few, many = experiments_of_a_run()
        for backend in ("gpu",) if on_gpu() else ("gpu", "cpu"):
            for experiments in (few, many):
                row[f"{backend} {experiments}e6"] = ours(binary, backend, arch, width, experiments)
            if backend == "gpu":
                # What the experiments more take: no pipelines, as JAX's rates are without its compiler.
                times = [experiments * 1e6 / row[f"gpu {experiments}e6"] for experiments in (few, many)]
                row["gpu compiled"] = (many - few) * 1e6 / (times[1] - times[0])
        for name, peer in peers.items():
            row[name] = rate(*peer, 2.0)
        rounds.append(row)
    median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}
    print(f"\n{arch} N = {width}; {'; '.join(notes)}")
    print(f"{'':14}{'networks/s':>12}" + "".join(f"{'/ ' + p:>17}" for p in peers))
    for name in median:
        line = f"{name:14}{median[name]:12.3g}"
        if name not in peers:
            for p in peers:
                ratio = statistics.median(r[name] / r[p] for r in rounds)
                line += f"{ratio:17.3g}"
        print(line)
    sys.stdout.flush()


def same_accuracy(binary):
    """Time of the connected against the direct estimator for the same error of dG4."""
    print("\nsame accuracy on dG^(4), N = 100: time direct (gpu, extrapolated) / time connected")
    for arch in ("erf", "relu", "gauss"):
        options = f"--arch {arch} --width 100 --orders 4 --experiments 10".split()
        tilt = ["--tilt", "auto"] if arch == "gauss" else []
        direct = document(binary, *options, "--nets", "1e6", "--backend", "gpu")
        connected = document(
            binary, *options, "--nets", "1e5", "--estimator", "connected", *tilt, "--backend", "cpu"
        )

        def cost(run):
            errors = run["correlators"][0]["std_err"]
            return [seconds(run) * e * e for e in errors]

        ratios = [d / c for d, c in zip(cost(direct), cost(connected))]
        print(f"{arch:6} median {statistics.median(ratios):.3g}, least {min(ratios):.3g} of {len(ratios)} elements")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_options(parser)
    parser.add_argument("--torch", action="store_true", help="PyTorch as well (a large download)")
    parser.add_argument(
        "--jobs",
        default="relu:100,gauss:100,erf:100,relu:2,gauss:2,erf:2",
        help="arch:width, separated by commas; empty for the last table alone",
    )
    options = parser.parse_args()
    binary = begin(options, options.torch)
    print(where())
    few, many = experiments_of_a_run()
    print(
        f"ours: 'gpu {few}e6' is {few} experiments of 10^6 networks with --backend gpu, '{many}e6' {many},\n"
        f"'gpu compiled' the difference of the two; {options.rounds} rounds"
    )
    for job in filter(None, options.jobs.split(",")):
        arch, width = job.split(":")
        compare(binary, arch, int(width), options)
    if not on_gpu():
        same_accuracy(binary)


if __name__ == "__main__":
    main()
