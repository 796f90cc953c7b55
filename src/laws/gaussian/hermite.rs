//! Laws of Hermite expansions, exact over the rationals.

use super::cases::{compose, dot, expectation_by_pairings, linear};
use crate::Error;
use crate::laws::broken::{Broken, check};
use crate::poly::gaussian::{
    Covariance, HermiteExpansion, contract_form, directional_derivative, heat,
};
use crate::poly::{Poly, Rational};

type P = Poly<Rational>;
type H = HermiteExpansion<Rational>;

/// A budget that ran out breaks no law of these small cases; anything else that is an error does.
fn unbroken<T>(law: &'static str, result: Result<T, Error>) -> Result<T, Broken> {
    result.map_err(|e| Broken {
        law,
        measured: 1.0,
        allowed: 0.0,
        case: e.to_string(),
    })
}

fn equal<T: PartialEq + std::fmt::Debug>(
    law: &'static str,
    left: &T,
    right: &T,
) -> Result<(), Broken> {
    check(law, left == right, || format!("{left:?} is not {right:?}"))
}

/// `He_n^[s]` by the three-term recurrence `He_{n+1} = x He_n - s n He_{n-1}`, in variable `index`.
pub fn hermite_by_recurrence(n: u32, s: &Rational, index: usize) -> P {
    let x = P::variable(index);
    let (mut before, mut he) = (P::zero(), P::constant(Rational::from(1)));
    for k in 0..i64::from(n) {
        let next = &(&x * &he) - &before.scale(&(s * &Rational::from(k)));
        (before, he) = (he, next);
    }
    he
}

/// Monomials to Hermite and back is the identity, and the expansion sums to `p` by the recurrence.
///
/// # Errors
/// [`Broken`].
pub fn round_trip(p: &P, s: &Rational) -> Result<(), Broken> {
    let law = "gaussian_hermite::round_trip";
    let h = unbroken(law, H::from_poly_with_variance(p, s.clone()))?;
    equal(law, &unbroken(law, h.to_poly())?, p)?;
    let mut sum = P::zero();
    for (e, c) in h.symbol().iter() {
        let product = e.iter().enumerate().fold(P::constant(c), |t, (i, &k)| {
            &t * &hermite_by_recurrence(k, s, i)
        });
        sum += &product;
    }
    equal(law, &sum, p)
}

/// Products by linearisation, by conversion and of polynomials agree; Parseval is the expectation of the product.
///
/// # Errors
/// [`Broken`].
pub fn products(p: &P, q: &P, s: &Rational) -> Result<(), Broken> {
    let law = "gaussian_hermite::products";
    let f = unbroken(law, H::from_poly_with_variance(p, s.clone()))?;
    let g = unbroken(law, H::from_poly_with_variance(q, s.clone()))?;
    let direct = unbroken(law, H::from_poly_with_variance(&(p * q), s.clone()))?;
    equal(law, &unbroken(law, f.mul_by_linearisation(&g))?, &direct)?;
    equal(law, &unbroken(law, f.mul_by_conversion(&g))?, &direct)?;
    equal(law, &unbroken(law, f.checked_mul(&g))?, &direct)?;
    let n = p.nvars().max(q.nvars());
    let cov = Covariance::diagonal(&vec![s.clone(); n]);
    let slow = expectation_by_pairings(&(p * q), &vec![Rational::default(); n], &cov);
    equal(law, &unbroken(law, f.inner(&g))?, &slow)?;
    equal(law, &direct.expectation(), &slow)
}

/// Derivative, creation as adjoint of annihilation, `[a, a*] = s`, `x = a + a*`, and the number operator
/// `x . grad - s Laplacian = sum a* d`.
///
/// # Errors
/// [`Broken`].
pub fn ladder(p: &P, q: &P, s: &Rational, i: usize) -> Result<(), Broken> {
    let law = "gaussian_hermite::ladder";
    let f = unbroken(law, H::from_poly_with_variance(p, s.clone()))?;
    let g = unbroken(law, H::from_poly_with_variance(q, s.clone()))?;
    let up = unbroken(law, f.creation(i))?;
    equal(
        law,
        &unbroken(law, up.inner(&g))?,
        &unbroken(law, f.inner(&g.annihilation(i)))?,
    )?;
    let commutator = &unbroken(law, up.annihilation(i).to_poly())?
        - &unbroken(law, unbroken(law, f.annihilation(i).creation(i))?.to_poly())?;
    equal(law, &commutator, &p.scale(s))?;
    equal(
        law,
        &unbroken(law, f.derivative(i).to_poly())?,
        &p.derivative(i),
    )?;
    let times = unbroken(law, unbroken(law, f.times_variable(i))?.to_poly())?;
    equal(law, &times, &(&P::variable(i) * p))?;
    let mut euler = P::zero();
    for k in 0..p.nvars() {
        euler += &(&P::variable(k) * &p.derivative(k));
        euler -= &p.derivative(k).derivative(k).scale(s);
    }
    equal(law, &unbroken(law, f.number().to_poly())?, &euler)
}

/// `T_rho p(x) = E p(rho x + sigma z)` for rational `rho^2 + sigma^2 = 1` and `z ~ N(0, s I)`; `T_a T_b = T_ab`.
///
/// # Errors
/// [`Broken`].
pub fn mehler(p: &P, t: &Rational, s: &Rational) -> Result<(), Broken> {
    let law = "gaussian_hermite::mehler";
    // rho = (1-t^2)/(1+t^2), sigma = 2t/(1+t^2).
    let one = Rational::from(1);
    let below = (&one + &(t * t)).recip().unwrap_or_default();
    let (rho, sigma) = (
        &(&one - &(t * t)) * &below,
        &(&Rational::from(2) * t) * &below,
    );
    let n = p.nvars();
    let mixed: Vec<P> = (0..n)
        .map(|i| &P::variable(i).scale(&rho) + &P::variable(n + i).scale(&sigma))
        .collect();
    let noisy = compose(p, &mixed);
    let joint = unbroken(law, H::from_poly_with_variance(&noisy, s.clone()))?;
    let noise: Vec<usize> = (n..2 * n).collect();
    let smoothed = joint.marginal_expectation(&noise);
    let f = unbroken(law, H::from_poly_with_variance(p, s.clone()))?;
    equal(law, &f.mehler(&rho), &smoothed)?;
    equal(
        law,
        &f.mehler(&rho).mehler(&sigma),
        &f.mehler(&(&rho * &sigma)),
    )
}

/// `P_a P_b = P_{a+b}`; `P_t He^[t+s] = He^[s]`; `P_{t^2} p(x) = E p(x + t z)`; `E[p(x + t z) z] = t E[p'(x + t z)]`.
///
/// # Errors
/// [`Broken`].
pub fn heat_semigroup(p: &P, a: &Rational, t: &Rational, n: u32) -> Result<(), Broken> {
    let law = "gaussian_hermite::heat_semigroup";
    let square = t * t;
    let both = unbroken(law, heat(&unbroken(law, heat(p, a))?, &square))?;
    equal(law, &both, &unbroken(law, heat(p, &(a + &square)))?)?;
    let wide = hermite_by_recurrence(n, &(a + &square), 0);
    equal(
        law,
        &unbroken(law, heat(&wide, &square))?,
        &hermite_by_recurrence(n, a, 0),
    )?;
    let vars = p.nvars();
    let moved: Vec<P> = (0..vars)
        .map(|i| &P::variable(i) + &P::variable(vars + i).scale(t))
        .collect();
    let noisy = compose(p, &moved);
    let noise: Vec<usize> = (vars..2 * vars).collect();
    let expect = |q: &P| -> Result<P, Broken> {
        let h = unbroken(law, H::from_poly(q))?.marginal_expectation(&noise);
        unbroken(law, h.to_poly())
    };
    equal(law, &expect(&noisy)?, &unbroken(law, heat(p, &square))?)?;
    for i in 0..vars {
        let left = expect(&(&noisy * &P::variable(vars + i)))?;
        let right = expect(&compose(&p.derivative(i), &moved))?.scale(t);
        equal(law, &left, &right)?;
    }
    Ok(())
}

/// Linear substitution, shift, restriction, evaluation and marginals commute with the change of basis.
///
/// # Errors
/// [`Broken`].
pub fn substitutions(
    p: &P,
    rows: &[Vec<Rational>],
    offset: &[Rational],
    s: &Rational,
) -> Result<(), Broken> {
    let law = "gaussian_hermite::substitutions";
    let f = unbroken(law, H::from_poly_with_variance(p, s.clone()))?;
    let images: Vec<P> = rows
        .iter()
        .zip(offset)
        .map(|(r, b)| &linear(r) + &P::constant(b.clone()))
        .collect();
    let moved = unbroken(
        law,
        unbroken(law, f.substitute_linear(rows, offset))?.to_poly(),
    )?;
    equal(law, &moved, &compose(p, &images))?;
    let shifted = unbroken(law, unbroken(law, f.shift(offset))?.to_poly())?;
    let plain: Vec<P> = offset
        .iter()
        .enumerate()
        .map(|(i, b)| &P::variable(i) + &P::constant(b.clone()))
        .collect();
    equal(law, &shifted, &compose(p, &plain))?;
    equal(law, &unbroken(law, f.eval(offset))?, &p.eval(offset))?;
    let fixed = unbroken(law, unbroken(law, f.restrict(0, &offset[0]))?.to_poly())?;
    let mut only: Vec<P> = (0..offset.len()).map(P::variable).collect();
    only[0] = P::constant(offset[0].clone());
    equal(law, &fixed, &compose(p, &only))?;
    let t = &offset[0];
    equal(
        law,
        &unbroken(law, f.with_variance(t.clone()))?,
        &unbroken(law, H::from_poly_with_variance(p, t.clone()))?,
    )?;
    let parts = (0..=p.total_degree()).map(|k| f.chaos(k).symbol().clone());
    equal(law, &Poly::sum(parts), f.symbol())
}

/// A rotation turns the symbol: `H_l(Q x) = Q^(x)l H_l(x)`.
///
/// # Errors
/// [`Broken`].
pub fn rotation(p: &P, rows: &[Vec<Rational>]) -> Result<(), Broken> {
    let law = "gaussian_hermite::rotation";
    let f = unbroken(law, H::from_poly(p))?;
    let zero = vec![Rational::default(); rows.len()];
    let turned = unbroken(law, f.substitute_linear(rows, &zero))?;
    let images: Vec<P> = rows.iter().map(|r| linear(r)).collect();
    equal(law, turned.symbol(), &compose(f.symbol(), &images))
}

/// `<H_l, w^l> = |w|^l He_l(<w,x>/|w|)`, and for unit vectors `E[He_l(<w,x>) He_m(<v,x>)] = delta l! <w,v>^l`.
///
/// # Errors
/// [`Broken`].
pub fn ridge(w: &[Rational], u: &[Rational], v: &[Rational], l: u32, m: u32) -> Result<(), Broken> {
    let law = "gaussian_hermite::ridge";
    let contracted = unbroken(law, contracted_hermite(&vec![w; l as usize]))?;
    // |w|^l He_l(y/|w|) is He_l^[|w|^2](y).
    let ridge = compose(&hermite_by_recurrence(l, &dot(w, w), 0), &[linear(w)]);
    equal(law, &contracted, &ridge)?;
    let one = Rational::from(1);
    let along = |d: &[Rational], k: u32| compose(&hermite_by_recurrence(k, &one, 0), &[linear(d)]);
    let (f, g) = (
        unbroken(law, H::from_poly(&along(u, l)))?,
        unbroken(law, H::from_poly(&along(v, m)))?,
    );
    let factorial = (1..=i64::from(l)).fold(one, |f, k| &f * &Rational::from(k));
    let expected = if l == m {
        &factorial * &dot(u, v).pow(l)
    } else {
        Rational::default()
    };
    equal(law, &unbroken(law, f.inner(&g))?, &expected)
}

/// `<H_l(x), v_1 (x) .. (x) v_l>` as a polynomial: the symbol is the product of the linear forms.
///
/// # Errors
/// What the heat operator says.
pub fn contracted_hermite(vectors: &[&[Rational]]) -> Result<P, Error> {
    let symbol = vectors
        .iter()
        .fold(P::constant(Rational::from(1)), |p, v| &p * &linear(v));
    H::from_symbol(symbol, Rational::from(1)).to_poly()
}

/// The contraction formula: with `|g| = 1`, `s = <g,x>`, `m = l - 2`,
/// `H_l[g^m,a,b] = He_m(s)(<a,x><b,x> - <a,b>) - m He_{m-1}(s)(<a,g><b,x> + <b,g><a,x>) + m(m-1) He_{m-2}(s) <a,g><b,g>`.
///
/// # Errors
/// [`Broken`].
pub fn contraction_formula(
    g: &[Rational],
    a: &[Rational],
    b: &[Rational],
    m: u32,
) -> Result<(), Broken> {
    let law = "gaussian_hermite::contraction_formula";
    let mut vectors = vec![g; m as usize];
    vectors.extend([a, b]);
    let left = unbroken(law, contracted_hermite(&vectors))?;
    let one = Rational::from(1);
    let he = |k: u32| compose(&hermite_by_recurrence(k, &one, 0), &[linear(g)]);
    let (ax, bx) = (linear(a), linear(b));
    let mut right = &he(m) * &(&(&ax * &bx) - &P::constant(dot(a, b)));
    if m >= 1 {
        let cross = &bx.scale(&dot(a, g)) + &ax.scale(&dot(b, g));
        right -= &(&he(m - 1) * &cross).scale(&Rational::from(i64::from(m)));
    }
    if m >= 2 {
        let weight = Rational::from(i64::from(m) * i64::from(m - 1));
        right += &he(m - 2).scale(&(&weight * &(&dot(a, g) * &dot(b, g))));
    }
    equal(law, &left, &right)
}

/// `E[p H_l[v_1..v_l]] = E[D_{v_1} .. D_{v_l} p]`, and both are the contraction of the Hermite form of `p`.
///
/// # Errors
/// [`Broken`].
pub fn stein_tensor(p: &P, vectors: &[&[Rational]]) -> Result<(), Broken> {
    let law = "gaussian_hermite::stein_tensor";
    let order = vectors.len() as u32;
    let f = unbroken(law, H::from_poly(p))?;
    let h = unbroken(law, contracted_hermite(vectors))?;
    let left = unbroken(law, f.inner(&unbroken(law, H::from_poly(&h))?))?;
    let derived = vectors
        .iter()
        .fold(p.clone(), |q, v| directional_derivative(&q, v));
    let right = unbroken(law, H::from_poly(&derived))?.expectation();
    equal(law, &left, &right)?;
    let contracted = unbroken(law, contract_form(&f.hermite_form(order), order, vectors))?;
    equal(law, &contracted, &P::constant(left))
}

/// The Mehler kernel as a power series in `t`, up to order `top`, at points of any dimension:
/// `sum_m t^m/m! <H_m(x), H_m(y)> = (1-t^2)^(-d/2) exp((2 t <x,y> - t^2 (|x|^2+|y|^2)) / (2 (1-t^2)))`.
///
/// # Errors
/// [`Broken`].
pub fn mehler_kernel_series(x: &[Rational], y: &[Rational], top: usize) -> Result<(), Broken> {
    let law = "gaussian_hermite::mehler_kernel_series";
    // (1/m!) <H_m(x), H_m(y)> = sum_{|a|=m} He_a(x) He_a(y) / a!: a product of one-dimensional series.
    let one = Rational::from(1);
    let mut left = vec![Rational::default(); top + 1];
    left[0] = one.clone();
    for (a, b) in x.iter().zip(y) {
        let mut factorial = one.clone();
        let line: Vec<Rational> = (0..=top)
            .map(|k| {
                if k > 0 {
                    factorial *= &Rational::from(k as i64);
                }
                let he = hermite_by_recurrence(k as u32, &one, 0);
                &(&he.eval(std::slice::from_ref(a)) * &he.eval(std::slice::from_ref(b)))
                    * &factorial.recip().unwrap_or_default()
            })
            .collect();
        left = series_product(&left, &line);
    }
    let half = Rational::new(1, 2).unwrap_or_default();
    let power = &Rational::from(x.len() as i64) * &half;
    // (1-t^2)^(-d/2) and 1/(1-t^2) as series.
    let (mut prefactor, mut inverse) = (
        vec![Rational::default(); top + 1],
        vec![Rational::default(); top + 1],
    );
    let mut binomial = one.clone();
    for k in 0..=top / 2 {
        prefactor[2 * k] = binomial.clone();
        inverse[2 * k] = one.clone();
        let step = &(&power + &Rational::from(k as i64))
            * &Rational::from(k as i64 + 1).recip().unwrap_or_default();
        binomial *= &step;
    }
    let mut exponent = vec![Rational::default(); top + 1];
    if top >= 1 {
        exponent[1] = dot(x, y);
    }
    if top >= 2 {
        exponent[2] = -(&half * &(&dot(x, x) + &dot(y, y)));
    }
    let right = series_product(
        &prefactor,
        &series_exp(&series_product(&exponent, &inverse)),
    );
    equal(law, &left, &right)
}

fn series_product(a: &[Rational], b: &[Rational]) -> Vec<Rational> {
    (0..a.len())
        .map(|n| (0..=n).fold(Rational::default(), |s, k| &s + &(&a[k] * &b[n - k])))
        .collect()
}

/// `exp` of a series without constant term: `n e_n = sum_k k a_k e_{n-k}`.
fn series_exp(a: &[Rational]) -> Vec<Rational> {
    let mut e = vec![Rational::from(1)];
    for n in 1..a.len() {
        let sum = (1..=n).fold(Rational::default(), |s, k| {
            &s + &(&(&Rational::from(k as i64) * &a[k]) * &e[n - k])
        });
        e.push(&sum * &Rational::from(n as i64).recip().unwrap_or_default());
    }
    e
}
