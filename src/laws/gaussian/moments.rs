//! Laws of moments and cumulants of polynomials of Gaussians and of rotation-invariant vectors, exact.

use super::cases::{dot, expectation_by_pairings};
use crate::Error;
use crate::laws::broken::{Broken, check};
use crate::poly::gaussian::{
    Covariance, GaussianLaw, HermiteExpansion, Law, QuadraticPolynomial, RadialLaw,
    cumulants_to_moments, joint_cumulant, joint_cumulants, joint_moments, moments_to_cumulants,
    stein_sides, symbolic_covariance,
};
use crate::poly::{Poly, Rational};

type P = Poly<Rational>;

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

/// The moment table is the sum over pairings; Stein's identity holds in every variable.
///
/// # Errors
/// [`Broken`].
pub fn wick(p: &P, law: &GaussianLaw<Rational>) -> Result<(), Broken> {
    let name = "gaussian_moments::wick";
    let slow = expectation_by_pairings(p, law.mean(), law.covariance());
    equal(name, &unbroken(name, law.expectation(p))?, &slow)?;
    for i in 0..law.mean().len() {
        let (left, right) = unbroken(name, stein_sides(law, p, i))?;
        equal(name, &left, &right)?;
    }
    Ok(())
}

/// Moments by traces and by Parseval are the expectations of the expanded powers; joint moments likewise.
///
/// # Errors
/// [`Broken`].
pub fn moments(p: &P, q: &P, law: &GaussianLaw<Rational>, highest: u32) -> Result<(), Broken> {
    let name = "gaussian_moments::moments";
    let fast = unbroken(name, law.moments(p, highest))?;
    let mut power = P::constant(Rational::from(1));
    for (k, value) in fast.iter().enumerate() {
        power = &power * p;
        check(
            name,
            *value == unbroken(name, law.expectation(&power))?,
            || format!("order {} of {p:?}", k + 1),
        )?;
    }
    let cumulants = unbroken(name, law.cumulants(p, highest))?;
    equal(name, &cumulants, &moments_to_cumulants(&fast))?;
    equal(name, &cumulants_to_moments(&cumulants), &fast)?;
    let joint = unbroken(name, law.joint_moment(&[(p, 1), (q, 2)]))?;
    equal(
        name,
        &joint,
        &unbroken(name, law.expectation(&(&(p * q) * q)))?,
    )
}

/// Joint cumulants by traces agree with the route through joint moments, and joint moments come back.
///
/// # Errors
/// [`Broken`].
pub fn joint(polynomials: &[&P], law: &GaussianLaw<Rational>) -> Result<(), Broken> {
    let name = "gaussian_moments::joint";
    let fast = unbroken(name, joint_cumulant(law, polynomials))?;
    let top = vec![1; polynomials.len()];
    let table = joint_cumulants(&top, |a| {
        let chosen = a.iter().zip(polynomials).filter(|(k, _)| **k > 0);
        law.expectation(&chosen.fold(P::constant(Rational::from(1)), |t, (_, p)| &t * p))
    });
    let table = unbroken(name, table)?;
    equal(name, &fast, &table[&top])?;
    let back = unbroken(name, joint_moments(&top, |a| Ok(table[a].clone())))?;
    let product = polynomials
        .iter()
        .fold(P::constant(Rational::from(1)), |t, p| &t * *p);
    equal(
        name,
        &back[&top],
        &unbroken(name, law.expectation(&product))?,
    )
}

/// `x'Qx + b'x + c` in matrices, `Q` with halves.
struct Parts {
    q: Vec<Vec<Rational>>,
    b: Vec<Rational>,
    c: Rational,
}

impl Parts {
    fn of(p: &P, n: usize) -> Option<Self> {
        let form = QuadraticPolynomial::of(p)?;
        let half = Rational::new(1, 2)?;
        let at = |i: usize, j: usize| {
            form.hessian
                .get(i)
                .and_then(|r| r.get(j))
                .cloned()
                .unwrap_or_default()
        };
        let q = (0..n)
            .map(|i| (0..n).map(|j| &at(i, j) * &half).collect())
            .collect();
        let mut b = form.linear.clone();
        b.resize(n, Rational::default());
        Some(Self {
            q,
            b,
            c: form.constant,
        })
    }

    /// `[[Q, b/2], [b'/2, 0]]`.
    fn homogenised(&self) -> Vec<Vec<Rational>> {
        let half = Rational::new(1, 2).unwrap_or_default();
        let mut m = self.q.clone();
        let edge: Vec<Rational> = self.b.iter().map(|x| x * &half).collect();
        m.iter_mut()
            .zip(&edge)
            .for_each(|(row, x)| row.push(x.clone()));
        m.push([edge, vec![Rational::default()]].concat());
        m
    }
}

fn trace_of(factors: &[&Vec<Vec<Rational>>]) -> Rational {
    let n = factors[0].len();
    let mut product: Vec<Vec<Rational>> = (0..n)
        .map(|i| (0..n).map(|j| Rational::from(i64::from(i == j))).collect())
        .collect();
    for f in factors {
        let column = |j: usize| -> Vec<Rational> { f.iter().map(|row| row[j].clone()).collect() };
        product = product
            .iter()
            .map(|row| (0..n).map(|j| dot(row, &column(j))).collect())
            .collect();
    }
    (0..n).fold(Rational::default(), |t, i| &t + &product[i][i])
}

/// `u' A B .. v`.
fn sandwich(u: &[Rational], middle: &[&Vec<Vec<Rational>>], v: &[Rational]) -> Rational {
    let image = middle.iter().rev().fold(v.to_vec(), |x, m| {
        m.iter().map(|row| dot(row, &x)).collect()
    });
    dot(u, &image)
}

/// The published formulas for `k1 .. k4` of quadratics with linear parts of a standard normal vector, and the homogenisation
/// lemma for `k2`, `k3` (with its defect `6 |b|^4` for `k4` of equal arguments).
///
/// # Errors
/// [`Broken`].
pub fn quadratic_cumulants(polynomials: [&P; 4], n: usize) -> Result<(), Broken> {
    let name = "gaussian_moments::quadratic_cumulants";
    let law = GaussianLaw::standard(n);
    let parts: Option<Vec<Parts>> = polynomials.iter().map(|p| Parts::of(p, n)).collect();
    let Some(parts) = parts else {
        return check(name, false, || "a polynomial of degree above two".into());
    };
    let r = |k: i64| Rational::from(k);
    let kappa = |list: &[&P]| unbroken(name, joint_cumulant(&law, list));
    let [a, b, c, d] = [&parts[0], &parts[1], &parts[2], &parts[3]];
    equal(
        name,
        &kappa(&polynomials[..1])?,
        &(&trace_of(&[&a.q]) + &a.c),
    )?;
    let k2 = kappa(&polynomials[..2])?;
    equal(
        name,
        &k2,
        &(&(&r(2) * &trace_of(&[&a.q, &b.q])) + &dot(&a.b, &b.b)),
    )?;
    let k3 = kappa(&polynomials[..3])?;
    let lines = [(a, b, c), (a, c, b), (b, a, c)];
    let linear = lines
        .iter()
        .fold(r(0), |s, (x, y, z)| &s + &sandwich(&x.b, &[&y.q], &z.b));
    equal(
        name,
        &k3,
        &(&(&r(8) * &trace_of(&[&a.q, &b.q, &c.q])) + &(&r(2) * &linear)),
    )?;
    let k4 = kappa(&polynomials)?;
    let cycles = [[a, b, c, d], [a, b, d, c], [a, c, b, d]];
    let traces = cycles.iter().fold(r(0), |s, x| {
        &s + &trace_of(&[&x[0].q, &x[1].q, &x[2].q, &x[3].q])
    });
    let mut linear = r(0);
    for (i, j) in (0..4)
        .flat_map(|i| (0..4).map(move |j| (i, j)))
        .filter(|(i, j)| i != j)
    {
        let rest: Vec<usize> = (0..4).filter(|k| *k != i && *k != j).collect();
        for (x, y) in [(rest[0], rest[1]), (rest[1], rest[0])] {
            linear += &sandwich(&parts[i].b, &[&parts[x].q, &parts[y].q], &parts[j].b);
        }
    }
    equal(name, &k4, &(&(&r(16) * &traces) + &(&r(2) * &linear)))?;
    let m: Vec<_> = parts.iter().map(Parts::homogenised).collect();
    equal(name, &k2, &(&r(2) * &trace_of(&[&m[0], &m[1]])))?;
    equal(name, &k3, &(&r(8) * &trace_of(&[&m[0], &m[1], &m[2]])))?;
    let p = polynomials[0];
    let square = dot(&a.b, &a.b);
    let defect = &(&r(48) * &trace_of(&[&m[0], &m[0], &m[0], &m[0]])) - &kappa(&[p, p, p, p])?;
    equal(name, &defect, &(&r(6) * &(&square * &square)))
}

/// Raw moments of quadratic forms of a rotation-invariant vector with symbolic `m_2, m_4, m_6`:
/// `E z_a = m2 t_a`, `E z_a z_b = m4 (t_a t_b + 2 S_ab)`, `E z_a z_b z_c = m6 (t_a t_b t_c + 2 (..) + 8 T_abc)`.
///
/// # Errors
/// [`Broken`].
pub fn rotation_invariant(forms: [&P; 3], n: usize) -> Result<(), Broken> {
    let name = "gaussian_moments::rotation_invariant";
    let pure =
        forms.map(|p| Poly::from_terms(p.iter().filter(|(e, _)| e.iter().sum::<u32>() == 2)));
    let parts: Option<Vec<Parts>> = pure.iter().map(|p| Parts::of(p, n)).collect();
    let Some(parts) = parts else {
        return check(name, false, || "a polynomial of degree above two".into());
    };
    // m_2, m_4, m_6 are the variables of the coefficients.
    let symbols: Vec<P> = [P::constant(Rational::from(1))]
        .into_iter()
        .chain((0..3).map(P::variable))
        .collect();
    let law = unbroken(name, RadialLaw::from_reduced_moments(n, symbols))?;
    let lifted: Vec<Poly<P>> = pure
        .iter()
        .map(|p| p.map(|c| P::constant(c.clone())))
        .collect();
    let [a, b, c] = [&lifted[0], &lifted[1], &lifted[2]];
    let q = |i: usize| &parts[i].q;
    let t: Vec<Rational> = (0..3).map(|i| trace_of(&[q(i)])).collect();
    let s = |i: usize, j: usize| trace_of(&[q(i), q(j)]);
    let r = |k: i64| Rational::from(k);
    let first = unbroken(name, law.expectation(a))?;
    equal(name, &first, &P::variable(0).scale(&t[0]))?;
    let second = unbroken(name, law.expectation(&(a * b)))?;
    equal(
        name,
        &second,
        &P::variable(1).scale(&(&(&t[0] * &t[1]) + &(&r(2) * &s(0, 1)))),
    )?;
    let third = unbroken(name, law.expectation(&(&(a * b) * c)))?;
    let pairs = &(&(&s(0, 1) * &t[2]) + &(&s(0, 2) * &t[1])) + &(&s(1, 2) * &t[0]);
    let all = &(&(&(&t[0] * &t[1]) * &t[2]) + &(&r(2) * &pairs))
        + &(&r(8) * &trace_of(&[q(0), q(1), q(2)]));
    equal(name, &third, &P::variable(2).scale(&all))?;
    // The sphere, the ball and the normal law are radii of the same formula.
    let sphere = unbroken(
        name,
        unbroken(name, RadialLaw::sphere(n))?.expectation(&(&pure[0] * &pure[1])),
    )?;
    let nn = Rational::from((n * (n + 2)) as i64);
    let normal = unbroken(
        name,
        GaussianLaw::standard(n).expectation(&(&pure[0] * &pure[1])),
    )?;
    equal(name, &(&sphere * &nn), &normal)?;
    let ball = unbroken(
        name,
        unbroken(name, RadialLaw::ball(n))?.expectation(&(&pure[0] * &pure[1])),
    )?;
    equal(
        name,
        &(&ball * &Rational::from(n as i64 + 4)),
        &(&sphere * &Rational::from(n as i64)),
    )
}

/// Symbolic covariance: specialising the symbols gives the numbers, and Price's theorem, `dE p/dS_ij = E d_i d_j p` for `i != j` and
/// half of it on the diagonal, holds between polynomials in the entries.
///
/// # Errors
/// [`Broken`].
pub fn price(p: &P, cov: &Covariance<Rational>) -> Result<(), Broken> {
    let name = "gaussian_moments::price";
    let dim = cov.dim();
    let (rows, _) = symbolic_covariance(dim);
    let law = GaussianLaw::centred(unbroken(name, Covariance::new(rows))?);
    let lift = |p: &P| p.map(|c| P::constant(c.clone()));
    let value = unbroken(name, law.expectation(&lift(p)))?;
    let entries: Vec<Rational> = (0..dim)
        .flat_map(|i| (i..dim).map(move |j| (i, j)))
        .map(|(i, j)| cov.entry(i, j))
        .collect();
    let number = unbroken(name, GaussianLaw::centred(cov.clone()).expectation(p))?;
    equal(name, &value.eval(&entries), &number)?;
    let mut index = 0;
    for i in 0..dim {
        for j in i..dim {
            let right = unbroken(name, law.expectation(&lift(&p.derivative(i).derivative(j))))?;
            let weight = if i == j {
                Rational::new(1, 2).unwrap_or_default()
            } else {
                Rational::from(1)
            };
            equal(name, &value.derivative(index), &right.scale(&weight))?;
            index += 1;
        }
    }
    Ok(())
}

/// Cubic forms: `<T, x^3> = <T, He_3> + 3 <tr T, x>` and `E z_a z_b = 6 <T_a, T_b> + 9 <t_a, t_b>`.
///
/// # Errors
/// [`Broken`].
pub fn cubes(a: &P, b: &P, n: usize) -> Result<(), Broken> {
    let name = "gaussian_moments::cubes";
    let pure =
        |p: &P| -> P { Poly::from_terms(p.iter().filter(|(e, _)| e.iter().sum::<u32>() == 3)) };
    let (a, b) = (pure(a), pure(b));
    // tr T as a form: Laplacian / 6, because the form of T is T(x,x,x).
    let trace = |p: &P| {
        let laplacian = Poly::sum((0..n).map(|i| p.derivative(i).derivative(i)));
        laplacian.scale(&Rational::new(1, 6).unwrap_or_default())
    };
    let three = Rational::from(3);
    let h = unbroken(name, HermiteExpansion::from_poly(&a))?;
    equal(name, h.symbol(), &(&a + &trace(&a).scale(&three)))?;
    // <T_a, T_b> over all entries is the Fischer product over 3!.
    let fischer = |x: &P, y: &P| -> Rational {
        x.iter().fold(Rational::default(), |s, (e, c)| {
            let weight: i64 = e
                .iter()
                .map(|&k| (1..=i64::from(k)).product::<i64>())
                .product();
            &s + &(&(&c * &y.coefficient(&e)) * &Rational::from(weight))
        })
    };
    let frobenius = &fischer(&a, &b) * &Rational::new(1, 6).unwrap_or_default();
    let right = &(&Rational::from(6) * &frobenius)
        + &(&Rational::from(9) * &fischer(&trace(&a), &trace(&b)));
    equal(
        name,
        &unbroken(name, GaussianLaw::standard(n).expectation(&(&a * &b)))?,
        &right,
    )
}

/// Power sums `M_t = sum_j w_j x_j^t` satisfy `M_t = -sum_a e_a M_{t-k+a}` with `prod (x - x_j) = x^k + sum_a e_a x^a`.
///
/// # Errors
/// [`Broken`].
pub fn power_sums(points: &[Rational], weights: &[Rational]) -> Result<(), Broken> {
    let name = "gaussian_moments::power_sums";
    let k = points.len();
    let monic = points.iter().fold(P::constant(Rational::from(1)), |p, x| {
        &p * &(&P::variable(0) - &P::constant(x.clone()))
    });
    let sum = |t: usize| -> Rational {
        points
            .iter()
            .zip(weights)
            .fold(Rational::default(), |s, (x, w)| {
                &s + &(w * &x.pow(t as u32))
            })
    };
    for t in k..k + 4 {
        let right = (0..k).fold(Rational::default(), |s, a| {
            &s - &(&monic.coefficient(&[a as u32]) * &sum(t - k + a))
        });
        equal(name, &sum(t), &right)?;
    }
    Ok(())
}
