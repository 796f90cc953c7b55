import json
from pathlib import Path

import numpy as np
import pytest
import wickring
from wickring import CP, Poly, errors

STRASSEN = """[[1,0,0,1],[0,0,1,1],[1,0,0,0],[0,0,0,1],[1,1,0,0],[-1,0,1,0],[0,1,0,-1]]
[[1,0,0,1],[1,0,0,0],[0,1,0,-1],[-1,0,1,0],[0,0,0,1],[1,1,0,0],[0,0,1,1]]
[[1,0,0,1],[0,0,1,-1],[0,1,0,1],[1,0,1,0],[-1,1,0,0],[0,0,0,1],[1,0,0,0]]"""


def strassen() -> CP:
    u, v, w = (np.array(json.loads(line), dtype=float).T for line in STRASSEN.splitlines())
    return CP(np.ones(7), [u, v, w])


def test_schemes() -> None:
    report = wickring.verify(strassen(), "matmul:2,2,2")
    assert report and report.claims[0]["rank"] == 7 and report.claims[0]["verdict"] == "exact"
    assert report.certificate is not None and wickring.check(report.certificate)
    wrong = strassen()
    wrong.factors[0][0, 0] = 2.0
    report = wickring.verify(wrong, "matmul:2,2,2")
    assert not report and report.claims[0]["wrong_entries"] > 0 and report.certificate is None


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "scheme.npz"
    np.savez(path, **{f"factor_{k}": f for k, f in enumerate(strassen().factors)})
    assert wickring.verify(path, "matmul:2,2,2")
    with pytest.raises(errors.FileError) as e:
        wickring.verify(tmp_path / "absent.json")
    assert isinstance(e.value, OSError) and str(e.value.path).endswith("absent.json")


def test_a_false_certificate_is_not_ok(tmp_path: Path) -> None:
    good = wickring.identity("(x + y)^2", Poly("x^2 + 2*x*y + y^2"))
    bad = wickring.identity("(x + y)^2", Poly("x^2 + y^2"))
    vacuous = wickring.identity(Poly("x + y"), Poly("y + x"))
    assert not wickring.check(vacuous)
    assert wickring.check(good) and not wickring.check(bad)
    path = tmp_path / "good.json"
    path.write_text(good)
    assert wickring.check(path)
    with pytest.raises(errors.InvalidInput):
        wickring.check(good.replace("2", "3", 1))


def test_the_certificate_of_a_fit() -> None:
    t = np.einsum("ir,jr,kr->ijk", *np.random.default_rng(0).normal(size=(3, 4, 2)))
    report = wickring.check(wickring.cp(t, 2).certificate())
    assert report and report.claims[0]["kind"] == "numeric-residual"


def test_theorems_about_fits() -> None:
    rng = np.random.default_rng(1)
    exact = np.einsum("ir,jr,kr->ijk", *rng.integers(-3, 4, size=(3, 3, 5)).astype(float))
    proof = wickring.prove(wickring.cp(exact, 5, random_state=0))
    assert proof and any("border rank" in p for p in proof.proved)
    assert proof.certificate is not None and wickring.check(proof.certificate)
    noisy = np.einsum("ir,jr,kr->ijk", *rng.normal(size=(3, 4, 2))) + 0.01 * rng.normal(size=(4, 4, 4))
    proof = wickring.prove(wickring.cp(noisy, 2, random_state=0))
    assert any("minimum" in p for p in proof.proved)
    with pytest.raises(TypeError):
        wickring.prove(wickring.tucker(noisy, ranks=(2, 2, 2)))


def test_certified_zeros() -> None:
    zeros = wickring.solve(["x^2 + y^2 - 4", "x*y - 1"])
    assert zeros.variables == ("x", "y") and len(zeros.points) == 4
    assert np.allclose((zeros.points**2).sum(axis=1), 4) and (zeros.radii < 1e-9).all()
    assert zeros.certificate is not None and wickring.check(zeros.certificate)
    double = wickring.solve(["x^2"], [[0.5]])
    assert not double and double.refused
