"""Learners as scikit-learn estimators (`pip install wickring[sklearn]`).

Every estimator has after `fit`: `model_` (save it with `model_.save(path)`: the file of the command line), `status_`,
`converged_`, and `certificate_`, what was measured. Data that are too few or too poor for the theorem behind a learner
do not stop a pipeline: `converged_` is false, `model_` is what the first two moments say, `certificate_["failed"]` names
the hypothesis, and a `ConvergenceWarning` is given; `strict=True` raises instead.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, DensityMixin, RegressorMixin  # type: ignore[import-untyped,unused-ignore]
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped,unused-ignore]
from sklearn.utils import check_random_state  # type: ignore[import-untyped,unused-ignore]
from sklearn.utils.validation import check_is_fitted, validate_data  # type: ignore[import-untyped,unused-ignore]

from . import _native
from ._blocks import blocks_of, files_of, is_lazy, is_paths, stored
from ._check import matrix
from ._dask import engine_of, moments
from ._native import Model, Moments, Pass, PassSums
from ._progress import Progress, watching
from .errors import Degenerate, InvalidInput, NotConverged, Stopped

__all__ = ["ContinuousMixture", "GaussianMixture", "Mixture", "PolynomialMap", "QuadraticMap", "ReluRegressor", "TwoLayerRegressor"]

Matrix = NDArray[np.float64]


def _within(name: str, value: Any, low: float, high: float) -> None:
    """A number in a closed range; options are judged here, so that what the library refuses is about the data."""
    if not (isinstance(value, (int, float, np.integer, np.floating)) and low <= value <= high):
        raise ValueError(f"{name}: a number from {low} to {high}, got {value!r}")


def _one_of(name: str, value: Any, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{name}: one of {', '.join(known)}, got {value!r}")


def _factor(covariance: Matrix) -> Matrix:
    """`L` with `L L' = covariance`, for any positive semidefinite matrix."""
    values, vectors = np.linalg.eigh(np.atleast_2d(covariance))
    return np.ascontiguousarray(vectors * np.sqrt(np.maximum(values, 0.0)))


class _Learner(BaseEstimator):  # type: ignore[misc,unused-ignore]
    """What all learners do alike."""

    random_state: Any
    strict: bool
    progress: Progress
    timeout: float | None

    def _learn(
        self, call: Callable[[dict[str, Any]], tuple[Model, dict[str, Any]]], instead: Callable[[], Model] | None
    ) -> None:
        """Runs a learner; what the data do not allow is a model of moments and a warning, or with `strict`, or where there is no
        model `instead`, an error."""
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        try:
            with watching(self.progress) as see:
                self.model_, raw = call({"seed": seed, "progress": see, "timeout": self.timeout})
        except (Degenerate, InvalidInput, Stopped) as e:
            if self.strict or instead is None:
                raise
            self.model_ = instead()
            self._found(self.model_.status if not isinstance(e, Stopped) else "stopped", {"checks": [], "failed": str(e)}, 1)
            return
        failed = next((c["label"] for c in raw["evidence"]["checks"] if not c["holds"]), None)
        self._found(raw["status"], {**raw["evidence"], "failed": failed}, raw["work"]["sweeps"])

    def _found(self, status: str, evidence: dict[str, Any], sweeps: int) -> None:
        self.status_, self.certificate_ = status, evidence
        self.converged_, self.n_iter_ = status == "converged", max(1, sweeps)
        if self.converged_:
            return
        message = f"{type(self).__name__}: {status}: {evidence['failed'] or 'the tests of the model did not pass'}"
        if self.strict:
            raise NotConverged(message, status=status, rel_residual=evidence.get("rel_residual", float("nan")))
        warnings.warn(message, ConvergenceWarning, stacklevel=4)

    @contextmanager
    def _rows_or_files(self, X: Any) -> Iterator[Matrix | list[str]]:
        """An array as it is; what is larger than memory as files that the library streams."""
        blocks = blocks_of(X)
        if blocks is None and not is_paths(X):
            yield self._samples(X)
            return
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if blocks is None:
            yield files_of(X)
            return
        if hasattr(X, "columns"):
            self.feature_names_in_ = np.asarray([str(c) for c in X.columns], dtype=object)
        with stored(blocks) as files:
            yield files

    def _samples(self, X: Any) -> Matrix:
        return np.require(validate_data(self, X, dtype=np.float64, order="C", ensure_min_samples=2), None, "A")

    def _rows(self, X: Any) -> Matrix:
        check_is_fitted(self)
        return np.require(validate_data(self, X, dtype=np.float64, order="C", reset=False), None, "A")

    def _labelled(self, X: Any, y: Any) -> tuple[Matrix, Matrix]:
        X, y = validate_data(self, X, y, dtype=np.float64, order="C", ensure_min_samples=2, y_numeric=True)
        return np.require(X, None, "A"), np.require(y, np.float64, ["C", "A"])


class _Law:
    """Estimators that can be drawn from."""

    model_: Model

    def sample(self, n_samples: int = 1, *, random_state: Any = None, as_frame: bool = False) -> Any:
        """Draws rows from the learned law; `as_frame` gives a pandas frame with the names of the columns."""
        check_is_fitted(self)
        seed = int(check_random_state(random_state).randint(2**31 - 1))
        x = self.model_.sample(int(n_samples), seed)
        if not as_frame:
            return x
        import pandas as pd  # type: ignore[import-untyped,unused-ignore]

        return pd.DataFrame(x, columns=getattr(self, "feature_names_in_", None))


class _Map(_Law, _Learner):
    """Maps of hidden normal variables."""

    def _moment_map(self, X: Matrix | list[str]) -> Model:
        if isinstance(X, list):
            return self._normal(Moments.of_files(X))
        return _native.normal_map(list(X.mean(axis=0)), _factor(np.cov(X, rowvar=False)))

    def _normal(self, sums: Moments) -> Model:
        return _native.normal_map(list(sums.mean), _factor(sums.covariance))

    def _counted(self) -> Self:
        """Counts the columns of streamed rows; `validate_data` has counted those of arrays."""
        if not hasattr(self, "n_features_in_"):
            self.n_features_in_ = self.model_.sample(1, 0).shape[1]
        return self

    @property
    def n_latent_(self) -> int:
        """The number of hidden variables."""
        check_is_fitted(self)
        return int(json.loads(self.model_.to_json())["latent_dim"])

    def evaluate(self, Z: Any) -> Matrix:
        """The outputs of the map at rows of hidden variables."""
        check_is_fitted(self)
        return self.model_.evaluate(matrix(Z, "Z"))


def _level(noise: float | str | None) -> float | None:
    """A share of noise, NaN where it is to be estimated."""
    if isinstance(noise, str):
        _one_of("noise", noise, ("estimate",))
        return float("nan")
    if noise is not None:
        _within("noise", noise, 0.0, 0.999999)
    return noise


class QuadraticMap(_Map):
    """A quadratic map of hidden normal variables, from its outputs alone.

    `n_latent`: number of hidden variables, by default from the data. `linear`: whether the map has a linear part. `noise`:
    a share of noise on the outputs, or "estimate". `refine` fits beyond the moments. `panel`: how many rows of a dask array or an
    engine are looked at one by one; of all rows moments are taken.
    """

    def __init__(
        self,
        n_latent: int | None = None,
        linear: bool = False,
        noise: float | str | None = None,
        holdout: float = 0.2,
        refine: bool = True,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
        panel: int | None = None,
    ) -> None:
        self.panel = panel
        self.n_latent = n_latent
        self.linear = linear
        self.noise = noise
        self.holdout = holdout
        self.refine = refine
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any = None) -> QuadraticMap:
        """Learns from rows of outputs: an array or a frame; or, streamed, a path or several, a dask array or frame (in passes,
        every block where it lies), an iterator of blocks of rows (put on disk once, because the learner passes over its rows
        several times)."""
        level, flags = self._checked()
        if is_lazy(X):
            x = X if hasattr(X, "chunks") else X.to_dask_array(lengths=True)
            if not self._few(x.shape[1]):
                names = [str(c) for c in X.columns] if hasattr(X, "columns") else None
                return self._by(engine_of(x), x.shape[1], names, lambda: self._normal(moments(x)))
        with self._rows_or_files(X) as rows:
            self._learn(
                lambda how: _native.learn_quadratic(rows, self.n_latent, flags, level, self.holdout, how),
                lambda: self._moment_map(rows),
            )
        return self._counted()

    def fit_passes(self, engine: Callable[[Pass], PassSums], n_features: int) -> QuadraticMap:
        """Learns from rows that any engine holds: `engine(question)` answers for all rows by `question.of_rows(first_row,
        first_learned, block)` for every block, and adds the answers up in any order. `first_learned` is
        `question.learning_rows(0, first_row)`. The model is the same whatever the blocks and the order.

        Under MPI every process fits and gets the same model, with
        `engine=lambda q: comm.allreduce(q.of_rows(first, q.learning_rows(0, first), mine), op=MPI.SUM)`.
        """
        self._checked()
        if self._few(n_features):
            raise ValueError("n_features: fewer outputs than n_latent (n_latent + 1) / 2 need all rows in one place: see fit")
        return self._by(engine, n_features, None, None)

    def _checked(self) -> tuple[float | None, tuple[bool, bool]]:
        _within("holdout", self.holdout, 0.01, 0.5)
        if self.n_latent is not None:
            _within("n_latent", self.n_latent, 1, 10_000)
        if self.panel is not None:
            _within("panel", self.panel, 1000, 1 << 26)
        return _level(self.noise), (self.linear, self.refine)

    def _few(self, outputs: int) -> bool:
        """Whether the learner for few outputs is meant."""
        r = self.n_latent
        return r is not None and not self.linear and r * (r + 1) // 2 > outputs

    def _by(
        self,
        engine: Callable[[Pass], PassSums],
        outputs: int,
        names: list[str] | None,
        instead: Callable[[], Model] | None,
    ) -> QuadraticMap:
        level, flags = self._checked()
        for name in ("n_features_in_", "feature_names_in_"):
            self.__dict__.pop(name, None)
        if names is not None:
            self.feature_names_in_ = np.asarray(names, dtype=object)
        sizes, shares = (outputs, self.panel), (self.holdout, level)
        self._learn(
            lambda how: _native.learn_quadratic_passes(engine, sizes, self.n_latent, flags, shares, how),
            instead,
        )
        return self._counted()


class PolynomialMap(_Map):
    """A polynomial map of constant degree of hidden normal variables, from its outputs alone. `form`: auto, homogeneous (only
    that degree), general. `noise`: a share of noise on the outputs, or "estimate"."""

    def __init__(
        self,
        degree: int = 2,
        n_latent: int | None = None,
        form: str = "auto",
        holdout: float = 0.2,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
        noise: float | str | None = None,
    ) -> None:
        self.degree = degree
        self.n_latent = n_latent
        self.form = form
        self.noise = noise
        self.holdout = holdout
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any = None) -> PolynomialMap:
        """Learns from rows of outputs, in any of the forms that `QuadraticMap.fit` takes."""
        _within("degree", self.degree, 2, 8)
        _within("holdout", self.holdout, 0.01, 0.5)
        _one_of("form", self.form, ("auto", "homogeneous", "general"))
        shares = (self.holdout, _level(self.noise))
        with self._rows_or_files(X) as rows:
            self._learn(
                lambda how: _native.learn_polynomial(rows, self.degree, self.n_latent, self.form, shares, how),
                lambda: self._moment_map(rows),
            )
        return self._counted()


class _Mixture(DensityMixin, _Law, _Learner):  # type: ignore[misc,unused-ignore]
    """Mixtures, with a density."""

    def _one_normal(self, X: Matrix) -> Model:
        c = np.atleast_2d(np.cov(X, rowvar=False))
        scale = float(np.trace(c)) / len(c) or 1.0
        return _native.normal_mixture(list(X.mean(axis=0)), np.ascontiguousarray(c + 1e-6 * scale * np.eye(len(c))))

    def score_samples(self, X: Any) -> Matrix:
        """`log p` at each row."""
        X = self._rows(X)
        return self.model_.log_density(X)

    def score(self, X: Any, y: Any = None) -> float:
        """The mean of `log p` over the rows."""
        return float(np.mean(self.score_samples(X)))

    def quantiles(self, X: Any) -> Matrix:
        """Where in the law of its column each entry lies: the probability that the column is at most as large."""
        return self.model_.quantiles_of(self._rows(X), 0)


class _WithComponents(_Mixture):
    """Mixtures with components that rows belong to."""

    def _listed(self) -> None:
        parts = json.loads(self.model_.to_json())["components"]
        self.weights_ = np.array([p["weight"] for p in parts])
        self.means_ = np.array([p["mean"] for p in parts])
        self.covariances_ = np.array([p["covariance"] for p in parts])

    def predict_proba(self, X: Any) -> Matrix:
        """The probability of each component at each row."""
        rows = self._rows(X)
        joint = self.model_.joint_log_density(rows)
        p = np.exp(joint - joint.max(axis=1, keepdims=True))
        total: Matrix = p / p.sum(axis=1, keepdims=True)
        return total

    def predict(self, X: Any) -> NDArray[np.intp]:
        """The likeliest component of each row."""
        rows = self._rows(X)
        best: NDArray[np.intp] = self.model_.joint_log_density(rows).argmax(axis=1)
        return best

    def conditional(self, given: dict[int, float]) -> Model:
        """The law of the other columns, in their order, where some columns have the values given, by their numbers: a
        model with `sample` and `log_density`."""
        check_is_fitted(self)
        return self.model_.given([(int(a), float(v)) for a, v in given.items()])


class GaussianMixture(_WithComponents):
    """A mixture of normal laws.

    `n_components`: a number, or a pair `(least, most)` of which the best BIC is taken. `covariance_type`: full, tied,
    diagonal, tied-diagonal, spherical, tied-spherical, equal-shape. `method`: em, or moments (method of moments, then
    refined; equal-variance spherical components in high dimension).
    """

    def __init__(
        self,
        n_components: int | tuple[int, int] = 1,
        covariance_type: str = "full",
        method: str = "em",
        n_init: int = 20,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.method = method
        self.n_init = n_init
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any = None) -> GaussianMixture:
        """Learns from rows."""
        X = self._samples(X)
        n = self.n_components
        least, most = (n, n) if isinstance(n, (int, np.integer)) else n
        _within("n_components", least, 1, most)
        _within("n_components", most, 1, 10_000)
        _within("n_init", self.n_init, 1, 10_000)
        _one_of("method", self.method, ("em", "moments"))
        components = (int(least), int(most))
        self._learn(
            lambda how: _native.learn_mixture(X, self.method, components, [self.covariance_type], self.n_init, how),
            lambda: self._one_normal(X),
        )
        self._listed()
        return self

    def fit_predict(self, X: Any, y: Any = None) -> NDArray[np.intp]:
        """Learns, then the likeliest component of each row."""
        return self.fit(X).predict(X)


class Mixture(_WithComponents):
    """A mixture of normal laws by whichever method explains held-out rows best: maximum likelihood, moments, or scores.

    `n_components`: a number, or a pair `(least, most)` of which the best BIC is taken. After `fit`, `method_` is em, moments
    or diffusion and `candidates_` says how each did. A law by diffusion has a density and draws, but no components:
    `predict`, `predict_proba` and `conditional` refuse it.
    """

    def __init__(
        self,
        n_components: int | tuple[int, int] = (1, 30),
        n_init: int = 20,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> None:
        self.n_components = n_components
        self.n_init = n_init
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any = None) -> Mixture:
        """Learns from rows."""
        X = self._samples(X)
        n = self.n_components
        least, most = (n, n) if isinstance(n, (int, np.integer)) else n
        _within("n_components", least, 1, most)
        _within("n_components", most, 1, 10_000)
        _within("n_init", self.n_init, 1, 10_000)
        self.method_ = "em"
        self.candidates_: list[dict[str, Any]] = []

        def call(how: dict[str, Any]) -> tuple[Model, dict[str, Any]]:
            model, raw = _native.learn_best_mixture(X, (int(least), int(most)), self.n_init, how)
            self.method_, self.candidates_ = raw["method"], raw["candidates"]
            return model, raw

        self._learn(call, lambda: self._one_normal(X))
        self._listed()
        return self


class ContinuousMixture(_Mixture):
    """A continuous mixture of normal laws of one noise level, by scores at a ladder of noise levels and reverse diffusion.
    `noise`: its standard deviation, by default from the data."""

    def __init__(
        self,
        noise: float | None = None,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> None:
        self.noise = noise
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any = None) -> ContinuousMixture:
        """Learns from rows."""
        X = self._samples(X)
        self._learn(lambda how: _native.learn_score(X, self.noise, how), lambda: self._one_normal(X))
        return self


class _Regressor(RegressorMixin, _Learner):  # type: ignore[misc,unused-ignore]
    """Functions of inputs."""

    def predict(self, X: Any) -> Matrix:
        """The value at each row."""
        rows = self._rows(X)
        return self.model_.evaluate(rows)[:, 0]


class ReluRegressor(_Regressor):
    """A narrow network `c + <w, x> + sum_i b_i relu(<a_i, x>)`, exact where the samples allow it. `n_neurons`: at most so many
    kinks, by default what the samples allow, ten at most, or twenty where ten leave something; `offsets` lets neurons have them."""

    def __init__(
        self,
        n_neurons: int | None = None,
        offsets: bool = False,
        holdout: float = 0.125,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> None:
        self.n_neurons = n_neurons
        self.offsets = offsets
        self.holdout = holdout
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def fit(self, X: Any, y: Any) -> ReluRegressor:
        """Learns from inputs and targets."""
        X, y = self._labelled(X, y)
        _within("holdout", self.holdout, 1e-6, 0.5)
        if self.n_neurons is not None:
            _within("n_neurons", self.n_neurons, 0, 28)
        self._learn(
            lambda how: _native.learn_relu(X, y, self.n_neurons, self.offsets, self.holdout, how),
            lambda: self._affine(X, y),
        )
        return self

    @staticmethod
    def _affine(X: Matrix, y: Matrix) -> Model:
        centre = X.mean(axis=0)
        w = np.linalg.lstsq(X - centre, y - y.mean(), rcond=None)[0]
        return _native.affine_network(float(y.mean() - centre @ w), list(w))


class TwoLayerRegressor(_Regressor):
    """`sum_i c_i sigma(<w_i, x>)` with a given polynomial `sigma` such as "x^2" and number of neurons."""

    def __init__(
        self,
        n_neurons: int = 1,
        activation: str = "x^2",
        n_init: int = 3,
        holdout: float = 0.05,
        random_state: Any = None,
        strict: bool = False,
        progress: Progress = None,
        timeout: float | None = None,
    ) -> None:
        self.n_neurons = n_neurons
        self.activation = activation
        self.n_init = n_init
        self.holdout = holdout
        self.random_state = random_state
        self.strict = strict
        self.progress = progress
        self.timeout = timeout

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # a function of another form is declined, not approximated
        return tags

    def fit(self, X: Any, y: Any) -> TwoLayerRegressor:
        """Learns from inputs and targets."""
        X, y = self._labelled(X, y)
        _within("n_neurons", self.n_neurons, 1, 10_000)
        _within("n_init", self.n_init, 1, 100)
        _within("holdout", self.holdout, 1e-6, 0.5)
        constant = float(y.mean())
        self._learn(
            lambda how: _native.learn_two_layer(X, y, self.activation, (self.n_neurons, self.n_init), self.holdout, how),
            lambda: _native.constant_network(self.activation, constant, X.shape[1]),
        )
        return self
