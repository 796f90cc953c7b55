"""Is this scheme a matrix product? Strassen's seven multiplications, verified exactly; then one sign is spoiled."""

import numpy as np
import wickring
from wickring import CP

u = [[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1], [1, 1, 0, 0], [-1, 0, 1, 0], [0, 1, 0, -1]]
v = [[1, 0, 0, 1], [1, 0, 0, 0], [0, 1, 0, -1], [-1, 0, 1, 0], [0, 0, 0, 1], [1, 1, 0, 0], [0, 0, 1, 1]]
w = [[1, 0, 0, 1], [0, 0, 1, -1], [0, 1, 0, 1], [1, 0, 1, 0], [-1, 1, 0, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
strassen = CP(np.ones(7), [np.array(m, dtype=float).T for m in (u, v, w)])

report = wickring.verify(strassen, "matmul:2,2,2")
print(report.claims[0])
assert report and report.certificate is not None and wickring.check(report.certificate)

strassen.factors[0][0, 0] = -1
report = wickring.verify(strassen, "matmul:2,2,2")
print("with one sign spoiled:", report.claims[0]["verdict"], report.claims[0]["wrong_entries"], "entries off")
assert not report
