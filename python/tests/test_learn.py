import json
import pickle
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wickring
from wickring import errors

pytest.importorskip("sklearn")
from sklearn.exceptions import ConvergenceWarning  # noqa: E402
from sklearn.model_selection import GridSearchCV  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402
from wickring import learn  # noqa: E402

ALL = [
    learn.QuadraticMap(),
    learn.PolynomialMap(),
    learn.GaussianMixture(),
    learn.GaussianMixture(2, "spherical", n_init=2),
    learn.ContinuousMixture(),
    learn.Mixture((1, 4), n_init=2),
    learn.ReluRegressor(),
    learn.TwoLayerRegressor(),
]


@parametrize_with_checks(ALL)
@pytest.mark.filterwarnings("ignore")
def test_conventions(estimator: Any, check: Any) -> None:
    check(estimator)


def quadratic(rows: int, d: int = 6, r: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    q = rng.normal(size=(d, r, r))
    q = q + q.transpose(0, 2, 1)
    z = rng.normal(size=(rows, r))
    return np.einsum("ni,aij,nj->na", z, q, z), q


def test_a_quadratic_map_is_learned() -> None:
    x, _ = quadratic(20_000)
    model = learn.QuadraticMap(random_state=0).fit(x)
    assert model.converged_ and model.n_latent_ == 3, model.certificate_["failed"]
    drawn = model.sample(50_000, random_state=1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(x.T), rtol=0.2, atol=3)


@pytest.mark.parametrize("form", ["F", "pandas", ">f8"])
def test_every_layout_gives_the_same_bits(form: str) -> None:
    x, _ = quadratic(3000)
    want = learn.QuadraticMap(3, random_state=0, refine=False)
    other: Any = np.asfortranarray(x)
    if form == "pandas":
        other = pytest.importorskip("pandas").DataFrame({f"c{k}": x[:, k] for k in range(x.shape[1])})
    elif form == ">f8":
        other = x.astype(">f8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b = want.fit(x).model_.to_json(), learn.QuadraticMap(3, random_state=0, refine=False).fit(other).model_.to_json()
    assert a == b


def test_model_files_are_those_of_the_command_line(tmp_path: Path) -> None:
    x, _ = quadratic(3000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = learn.QuadraticMap(3, random_state=0, refine=False).fit(x)
    path = tmp_path / "map.json"
    model.model_.save(path)
    assert json.loads(path.read_text())["schema"] == "wickring/quadratic-map/1"
    z = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(wickring.load(path).evaluate(z), model.evaluate(z))
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.evaluate(z), model.evaluate(z))


def test_a_relu_teacher() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 5))
    a = rng.normal(size=(5, 2))
    y = np.maximum(x @ a, 0) @ [1.0, -2.0]
    model = make_pipeline(learn.ReluRegressor(2, random_state=0)).fit(x, y)
    assert model[-1].converged_, model[-1].certificate_["failed"]
    assert model.score(x, y) > 1 - 1e-10


def test_two_layers() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 6))
    y = ((x @ rng.normal(size=(6, 2))) ** 2).sum(axis=1)
    model = learn.TwoLayerRegressor(2, "x^2", random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # squares do not determine their weights
        assert model.fit(x, y).score(x, y) > 0.999


def test_a_mixture_in_a_pipeline_and_a_search() -> None:
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(-6, 1, size=(300, 2)), rng.normal(6, 1, size=(300, 2))])
    model = learn.GaussianMixture((1, 3), random_state=0, n_init=3).fit(x)
    assert model.converged_ and len(model.weights_) == 2
    assert len(set(model.predict(x)[:300])) == 1
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1)
    density = np.log(sum(
        w * np.exp(-0.5 * np.einsum("ni,ij,nj->n", x - m, np.linalg.inv(c), x - m)) / np.sqrt(np.linalg.det(2 * np.pi * c))
        for w, m, c in zip(model.weights_, model.means_, model.covariances_)
    ))
    np.testing.assert_allclose(model.score_samples(x), density, rtol=1e-9)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), learn.GaussianMixture(n_init=2, random_state=0)),
        {"gaussianmixture__n_components": [1, 2]},
        cv=2,
    ).fit(rng.permutation(x))
    assert search.best_params_["gaussianmixture__n_components"] == 2


def test_names_of_columns() -> None:
    pd = pytest.importorskip("pandas")
    x = pd.DataFrame(np.random.default_rng(0).normal(size=(200, 2)), columns=["a", "b"])
    model = learn.GaussianMixture(1, random_state=0).fit(x)
    assert list(model.feature_names_in_) == ["a", "b"]
    assert list(model.sample(3, as_frame=True).columns) == ["a", "b"]


def test_too_few_rows_warn_and_strict_raises() -> None:
    x, _ = quadratic(20)
    with pytest.warns(ConvergenceWarning):
        model = learn.QuadraticMap().fit(x)
    assert not model.converged_ and model.certificate_["failed"]
    np.testing.assert_allclose(np.cov(model.sample(200_000, random_state=0).T), np.cov(x.T), rtol=0.1, atol=1)
    with pytest.raises((errors.InvalidInput, errors.Degenerate)):
        learn.QuadraticMap(strict=True).fit(x)


def test_bad_options_are_refused_and_not_fallen_back_from() -> None:
    x, _ = quadratic(200)
    with pytest.raises(ValueError, match="holdout"):
        learn.QuadraticMap(holdout=0.9).fit(x)
    with pytest.raises(ValueError, match="n_components"):
        learn.GaussianMixture(0).fit(x)


def test_the_method_is_chosen_and_conditional_laws_are_those_of_the_regression() -> None:
    rng = np.random.default_rng(3)
    first = np.r_[rng.normal(size=200), 10 + rng.normal(size=100)]
    x = np.c_[first, 0.5 * first + rng.normal(size=300)]
    model = learn.Mixture((1, 4), random_state=0).fit(x)
    assert model.method_ == "em" and [c["method"] for c in model.candidates_] == ["em", "moments", "diffusion"]
    assert len(model.weights_) == 2 and (model.predict(x)[:200] == model.predict(x)[0]).mean() > 0.98
    law = model.conditional({0: 10.0})
    assert abs(law.sample(4000, 1).mean() - 5.0) < 0.4
    assert np.isfinite(law.log_density(np.zeros((3, 1)))).all()
    assert abs(model.quantiles(x).mean() - 0.5) < 0.05
    with pytest.raises(ValueError):
        model.conditional({2: 0.0})
