"""SciPy's least_squares on problems and starts that PeersBenchmark.cs writes; the files are those of ceres_peer.cpp.

usage: scipy_peer.py SOLVER PROBLEMS ENDS     SOLVER: evaluate, lm or trf
       scipy_peer.py version
"""

import os
import sys
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
import scipy
from scipy.optimize import least_squares

# Tolerance of the fall as the engine's; the gradient's is absolute and would end small losses early. Scales from "jac" and .1 to 2 were tried: 1 is
# the best of them, or even with the best.
OPTIONS = {"ftol": 1e-8, "xtol": 1e-8, "gtol": 1e-12, "max_nfev": 200}


class Bnsl:
    """The residuals of kernels/BnslGpu.Kernels/Bnsl.cs with loss msle and their Jacobian; arrays are points by breaks."""

    def __init__(self, breaks, u, target):
        self.breaks, self.u, self.target = breaks, u, target
        self.seen = None

    def residuals(self, θ):
        """log(a + g) − log y. What the Jacobian at the same θ needs is kept."""
        a, logG0, c0 = θ[:3]
        logG = logG0 - c0 * self.u
        if self.breaks:
            c, logD, f = θ[3::3], θ[4::3], np.exp(θ[5::3])
            z = (self.u[:, None] - logD) / f
            size = np.abs(z)
            e = np.exp(-size)
            q = 1 / (1 + e)
            log, small = np.log1p(e), e * q
            softplus = np.maximum(z, 0) + log
            softplus -= softplus[-1]  # u of the last point is 0
            logG -= softplus @ (c * f)
            self.kept = c, f, z, q, small, softplus, log + size * small
        g = np.exp(np.maximum(np.minimum(logG, 170), -170))
        self.y = a + g
        self.share = g / self.y
        self.seen = θ.copy()
        return np.log(self.y) - self.target

    def jacobian(self, θ):
        if not np.array_equal(θ, self.seen):
            self.residuals(θ)
        J = np.empty((len(self.u), len(θ)))
        J[:, 0] = 1 / self.y
        J[:, 1] = self.share
        J[:, 2] = -self.share * self.u
        if self.breaks:
            c, f, z, q, small, softplus, tail = self.kept
            share = self.share[:, None]
            sigmoid = np.where(z < 0, small, q)
            J[:, 3::3] = share * (-f * softplus)
            J[:, 4::3] = share * (c * (sigmoid - sigmoid[-1]))
            J[:, 5::3] = share * (c * f * (tail[-1] - tail))
        return J


def solve(solver, law, lower, upper, start):
    """Where a start ends."""
    if solver == "trf":
        return least_squares(law.residuals, start, law.jacobian, bounds=(lower, upper), method="trf", **OPTIONS).x

    # MINPACK knows of no bounds: it sees the law at the nearest θ in the box. Reflection at the bounds and no box at all were tried: both are worse.
    def inside(θ):
        return np.minimum(np.maximum(θ, lower), upper)

    return least_squares(
        lambda θ: law.residuals(inside(θ)),
        start,
        lambda θ: law.jacobian(inside(θ)) * ((lower <= θ) & (θ <= upper)),
        method="lm",
        **OPTIONS,
    ).x


def main():
    if sys.argv[1:] == ["version"]:
        print(f"SciPy {scipy.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}")
        return
    solver, problems, ends = sys.argv[1:]
    with open(problems) as text:
        numbers = iter(text.read().split())

    def read(count):
        return np.array([float(next(numbers)) for _ in range(count)])

    with open(ends, "w") as out:
        for _ in range(int(next(numbers))):
            breaks, points, count = (int(next(numbers)) for _ in range(3))
            p = 3 + 3 * breaks
            lower, upper, u, target = read(p), read(p), read(points), read(points)
            lower[lower < -1e300], upper[upper > 1e300] = -np.inf, np.inf
            starts = [read(p) for _ in range(count)]
            law = Bnsl(breaks, u, target)
            if solver == "evaluate":
                print(*law.residuals(starts[0]), *law.jacobian(starts[0]).ravel(), file=out)
                continue
            solve(solver, law, lower, upper, starts[0])  # not timed
            before = time.process_time()
            found = [solve(solver, law, lower, upper, start) for start in starts]
            seconds = time.process_time() - before
            print(seconds, *np.concatenate(found), file=out)


main()
