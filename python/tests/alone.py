"""Run where there are the wheel, NumPy and nothing else: what a first user does."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading

import numpy as np

import nnqft

# Whoever runs this in the background may have Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
for other in ("pandas", "xarray", "matplotlib", "sklearn", "tqdm"):
    try:
        __import__(other)
    except ImportError:
        continue
    sys.exit(f"{other} is installed, and this is to be without")

x = [[0.2], [0.6], [1.0]]
net = nnqft.Net("tanh", hidden=100, sigma_w=1.2, sigma_b=0.3)
assert net.kernel(x).shape == net.kernel(x, x).shape == (3, 3)
r = nnqft.ensemble(net, x, nets=1e4, experiments=10, orders=(2, 4, 6), estimator="connected", seed=0, backend="cpu")
four = r[4]
assert four.mean.shape == four.std_err.shape == four.gp.shape == four.exact.shape == four.pull.shape == (15,)
assert four.converged.all() and four.indices.shape == (15, 4) and four.first_order is None
assert four.tensor("mean").shape == (3, 3, 3, 3)
assert np.abs(four.pull).max() < 5
print(r)
with tempfile.TemporaryDirectory() as folder:
    r.save(folder)
    assert (nnqft.load(folder)[4].mean == four.mean).all()
assert nnqft.sample(net, x, nets=1e3).shape == (1000, 3, 1)
nnqft.theory(net, x), nnqft.falloff(net, x, widths=[10, 20, 40], nets=1e3), nnqft.rg(r, cutoffs=[10, 20])
nnqft.eft(r, cutoffs=[10]), nnqft.symmetry(net, x, d_out=[1, 2], nets=100), nnqft.devices()

options = "--arch tanh --width 100 --sigma-w 1.2 --sigma-b 0.3 --inputs 0.2;0.6;1.0 --nets 1e4 --backend cpu -q --json"
command = [os.environ["NNQFT_GPU"], "ensemble", "--estimator", "connected", *options.split()]
document = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
assert document["correlators"][1]["mean"] == four.mean.tolist(), "not the numbers of the command line"

run = nnqft.ensemble(net, x, nets=4e9, blocking=False, backend="cpu")
run.abort()
threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    nnqft.ensemble(net, x, nets=4e9, backend="cpu")
except nnqft.Interrupted as interrupted:
    assert interrupted.partial is not None and interrupted.partial.networks > 0
else:
    sys.exit("not interrupted")
try:
    nnqft.ensemble(net, x, orders=[9])
except nnqft.InvalidSpec as error:
    assert str(error) == "orders 9: must be from 1 to 6"
else:
    sys.exit("not refused")
print("all well with NumPy alone")
