"""A tour: `python python/examples/tour.py`, after `pip install ./python`. Under ten seconds; needs numpy alone."""

from fractions import Fraction

import numpy as np
import wickring
from wickring import Moments, Poly, symbols


def main() -> None:
    x, y = symbols("x y")
    p = (x + y) ** 2 * (x - 2 * y) / 3
    print("a polynomial:     ", p)
    print("  factors:        ", [(str(q), k) for q, k in p.factor()[1]])
    print("  E p^2, x,y ~ N: ", (p**2).expect(), " with correlation 1/2:", (p**2).expect([[1, Fraction(1, 2)], [Fraction(1, 2), 1]]))
    print("  roots of x^3-2x:", [float(r) for r in Poly("x^3 - 2*x").roots()])
    points = np.random.default_rng(0).normal(size=(100_000, 2))
    print("  mean at 100 000 points:", round(float(p(points).mean()), 3))

    factors = [np.random.default_rng(k).normal(size=(n, 3)) for k, n in enumerate((8, 9, 10))]
    t = np.einsum("ir,jr,kr->ijk", *factors)
    fit = wickring.cp(t)
    print(f"a tensor 8 x 9 x 10: rank {fit.model.rank}, {fit.status}, relative residual {fit.rel_residual:.1e}")
    report = wickring.check(fit.certificate())
    print("  its certificate, replayed:", bool(report), "-", report.claims[0]["reason"][:70])

    a, b = Moments(2), Moments(2)
    a.add(0, points[:12_345])
    b.add(12_345, points[12_345:])
    both = b + a
    print("moments of two parts are those of the whole, bit for bit:", both == wickring.moments(points))
    print("  covariance:", np.round(both.covariance, 3).tolist())


if __name__ == "__main__":
    main()
