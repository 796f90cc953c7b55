//! Laws of division, divisors, factors, roots and evaluation.

use crate::laws::broken::{Broken, check};
use crate::laws::bytes::Bytes;
use crate::poly::{Budget, Compiled, ComplexRational, Integer, Order, Poly, Rational, Ring};
use num_traits::Zero;

type P = Poly<Rational>;

fn budget() -> Budget<'static> {
    Budget::default().terms(1 << 14).work(1 << 24)
}

/// A small polynomial in at most three variables with small rational coefficients.
pub fn small_poly(bytes: &mut Bytes<'_>) -> P {
    let nvars = 1 + bytes.below(3);
    let count = bytes.below(6);
    let terms = (0..count).map(|_| {
        let e = (0..nvars).map(|_| u32::from(bytes.byte() % 4)).collect();
        let c = Rational::new(bytes.small(), 1 + bytes.below(3) as i64);
        (e, c.unwrap_or_default())
    });
    let terms: Vec<_> = terms.collect();
    P::from_terms(terms)
}

/// `f = sum q_i g_i + r` and no term of `r` is divisible by a leading monomial.
///
/// # Errors
/// [`Broken`] with the case.
pub fn division_with_remainder(f: &P, divisors: &[P], order: &Order) -> Result<(), Broken> {
    let law = "poly_algebra::division_with_remainder";
    let case = || format!("{f:?} by {divisors:?} in {order:?}");
    let Ok((quotients, rest)) = f.div_rem(divisors, order, &budget()) else {
        return check(law, divisors.iter().any(P::is_zero), case);
    };
    let mut sum = rest.clone();
    for (q, g) in quotients.iter().zip(divisors) {
        sum += &(q * g);
    }
    check(law, sum == *f, case)?;
    let divides =
        |a: &[u32], b: &[u32]| (0..a.len()).all(|v| a[v] <= b.get(v).copied().unwrap_or(0));
    for g in divisors {
        let Some((lead, _)) = g.leading_term_in(order) else {
            continue;
        };
        check(law, !rest.iter().any(|(e, _)| divides(&lead, &e)), case)?;
    }
    Ok(())
}

/// `gcd(f h, g h)` is `h gcd(f, g)` up to a constant, and divides both.
///
/// # Errors
/// [`Broken`] with the case.
pub fn gcd_of_multiples(f: &P, g: &P, h: &P) -> Result<(), Broken> {
    let law = "poly_algebra::gcd_of_multiples";
    let case = || format!("{f:?}, {g:?}, {h:?}");
    let (a, b) = (f * h, g * h);
    let (Ok(big), Ok(small)) = (a.gcd(&b, &budget()), f.gcd(g, &budget())) else {
        return check(law, false, case);
    };
    let part = |p: &P| p.content_and_primitive_part().1;
    check(law, part(&(&small * h)) == part(&big), case)?;
    if big.is_zero() {
        return check(law, a.is_zero() && b.is_zero(), case);
    }
    for p in [&a, &b] {
        let quotient = p.divide_exact(&big, &budget());
        check(law, matches!(quotient, Ok(Some(_))), case)?;
    }
    Ok(())
}

/// The factors multiply up to the polynomial, and each of them is its own only factor.
///
/// # Errors
/// [`Broken`] with the case.
pub fn factors_multiply_up(p: &P) -> Result<(), Broken> {
    let law = "poly_algebra::factors_multiply_up";
    let case = || format!("{p:?}");
    let Ok(found) = p.factor(&budget()) else {
        return check(law, p.is_zero(), case);
    };
    check(law, found.expand(&budget()).as_ref() == Ok(p), case)?;
    for (factor, _) in &found.factors {
        let again = factor.factor(&budget());
        let single = again.is_ok_and(|f| f.factors == [(factor.clone(), 1)]);
        check(law, single, || format!("{factor:?} of {p:?}"))?;
    }
    Ok(())
}

/// The resultant is multiplicative: `Res(f g, h) = Res(f, h) Res(g, h)`; and it vanishes exactly when there
/// is a common divisor with the variable.
///
/// # Errors
/// [`Broken`] with the case.
pub fn resultant_is_multiplicative(f: &P, g: &P, h: &P) -> Result<(), Broken> {
    let law = "poly_algebra::resultant_is_multiplicative";
    let case = || format!("{f:?}, {g:?}, {h:?}");
    let res = |a: &P, b: &P| a.resultant(b, 0, &budget());
    let (Ok(whole), Ok(left), Ok(right)) = (res(&(f * g), h), res(f, h), res(g, h)) else {
        return check(law, false, case);
    };
    check(law, whole == &left * &right, case)?;
    if f.is_zero() || h.is_zero() {
        return Ok(());
    }
    let common = f.gcd(h, &budget()).map(|d| d.degree(0) > 0);
    check(law, common == Ok(left.is_zero()), case)
}

/// Real roots: isolated, in order, with a change of sign or exact; as many as Sturm's sequence counts.
///
/// # Errors
/// [`Broken`] with the case.
pub fn roots_are_isolated(p: &P) -> Result<(), Broken> {
    let law = "poly_algebra::roots_are_isolated";
    let case = || format!("{p:?}");
    let Ok(roots) = p.real_roots(20, &budget()) else {
        return check(law, p.is_zero() || p.nvars() > 1, case);
    };
    let Ok(simple) = p.square_free_part(&budget()) else {
        return check(law, false, case);
    };
    let at = |x: &Rational| simple.eval(std::slice::from_ref(x)).signum();
    for r in &roots {
        let fits = match r.exact() {
            Some(x) => at(x) == 0,
            None => at(&r.low) * at(&r.high) < 0,
        };
        check(law, fits, case)?;
    }
    check(law, roots.windows(2).all(|w| w[0].high < w[1].low), case)?;
    check(law, roots.len() == sturm(&simple), case)
}

/// The number of real roots of a square-free polynomial: sign changes of Sturm's sequence at minus and plus
/// infinity.
pub fn sturm(p: &P) -> usize {
    let mut sequence = vec![p.clone(), p.derivative(0)];
    while let [.., a, b] = sequence.as_slice() {
        if b.is_zero() {
            break;
        }
        match a.div_rem(std::slice::from_ref(b), &Order::Lex, &Budget::default()) {
            Ok((_, rest)) => sequence.push(-&rest),
            Err(_) => break,
        }
    }
    let changes = |flip: bool| {
        let signs = sequence.iter().filter_map(P::leading_term).map(|(e, c)| {
            let odd = e.first().copied().unwrap_or(0) % 2 == 1;
            if flip && odd { -c.signum() } else { c.signum() }
        });
        let signs: Vec<i32> = signs.collect();
        signs.windows(2).filter(|w| w[0] != w[1]).count()
    };
    changes(true).saturating_sub(changes(false))
}

/// `d(f g) = f' g + f g'`, the integral's derivative is the integrand, and evaluation goes through
/// composition.
///
/// # Errors
/// [`Broken`] with the case.
pub fn calculus(f: &P, g: &P) -> Result<(), Broken> {
    let law = "poly_algebra::calculus";
    let case = || format!("{f:?}, {g:?}");
    let product = (f * g).derivative(0);
    let parts = &(&f.derivative(0) * g) + &(f * &g.derivative(0));
    check(law, product == parts, case)?;
    let back = f.integral(1).map(|i| i.derivative(1));
    check(law, back.as_ref() == Ok(f), case)?;
    let Ok(composed) = f.compose(std::slice::from_ref(g), &budget()) else {
        return check(law, false, case);
    };
    let point: Vec<Rational> = [2, -1, 3].map(Rational::from).to_vec();
    let mut through = point.clone();
    through[0] = g.eval(&point);
    check(law, composed.eval(&point) == f.eval(&through), case)
}

/// Modulo a prime: the divisor of two multiples of `h` is a multiple of `h`, divides both, and leaves nothing in common.
///
/// # Errors
/// [`Broken`] with the polynomials.
pub fn gcd_modulo_of_multiples(f: &P, g: &P, h: &P, prime: u64) -> Result<(), Broken> {
    let law = "poly_algebra::gcd_modulo_of_multiples";
    let case = || format!("{f:?}, {g:?}, {h:?} modulo {prime}");
    let (a, b) = (f * h, g * h);
    let all = [&a, &b, h].map(|p| p.modulo(prime));
    let [Ok(x), Ok(y), Ok(z)] = all else {
        return Ok(()); // The prime divides a denominator.
    };
    let common = |a: &P, b: &P| {
        a.gcd_mod(b, prime, &budget())
            .map(|g| g.map(|c| Rational::from(c.clone())))
    };
    let Ok(found) = common(&a, &b) else {
        return check(law, false, case);
    };
    let Ok(image) = found.modulo(prime) else {
        return check(law, false, case);
    };
    if x.is_zero() && y.is_zero() {
        return check(law, image.is_zero(), case);
    }
    let divides = |p: &Poly<_>, q: &Poly<_>| q.divide_exact(p, &budget()).ok().flatten();
    let lead = image.leading_term().map(|t| t.1.to_integer());
    check(law, lead == Some(Integer::ONE), case)?;
    check(law, z.is_zero() || divides(&z, &image).is_some(), case)?;
    let (Some(x), Some(y)) = (divides(&image, &x), divides(&image, &y)) else {
        return check(law, false, case);
    };
    let [x, y] = [x, y].map(|p| p.to_integers().map(|c| Rational::from(c.clone())));
    let rest = common(&x, &y);
    check(
        law,
        rest.is_ok_and(|g| g == Poly::constant(Rational::from(1))),
        case,
    )
}

/// A power is the product of its factors, over the rationals, the integers, `Q(i)` and modulo a prime.
///
/// # Errors
/// [`Broken`] with the polynomial and the exponent.
pub fn power_is_repeated_product(f: &P, k: u32) -> Result<(), Broken> {
    fn agrees<C: Ring + std::fmt::Display>(f: &Poly<C>, k: u32) -> Result<(), Broken> {
        let law = "poly_algebra::power_is_repeated_product";
        let product = (0..k).fold(Poly::constant(C::one()), |p, _| &p * f);
        let power = f.pow_within(k, &budget());
        check(law, power.as_ref() == Ok(&product), || {
            format!("{f:?}, {k}")
        })
    }
    agrees(f, k)?;
    agrees(&f.map(Rational::numerator), k)?;
    let i = ComplexRational::i();
    agrees(&f.map(|c| ComplexRational::from(c.clone())).scale(&i), k)?;
    // The square of a sum is the sum of squares there.
    let whole = f.map(|c| Rational::from(c.numerator()));
    agrees(&whole.modulo(2).unwrap_or_else(|_| Poly::zero()), k)
}

/// Compiled evaluation is within its bound of exact evaluation.
///
/// # Errors
/// [`Broken`] with the error and the bound.
pub fn compiled_is_close(p: &P, points: &[Vec<f64>]) -> Result<(), Broken> {
    let law = "poly_algebra::compiled_is_close";
    let float = p.map(Rational::to_f64);
    let Ok(program) = Compiled::new(std::slice::from_ref(&float)) else {
        return check(law, false, || format!("{p:?}"));
    };
    let column = |v: usize| points.iter().map(|x| x[v]).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..program.nvars()).map(column).collect();
    let slices: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let Ok(found) = program.eval_batch(&slices) else {
        return check(law, false, || format!("{p:?}"));
    };
    for (x, &value) in points.iter().zip(&found[0]) {
        let exact: Vec<Rational> = x.iter().filter_map(|&c| Rational::from_f64(c)).collect();
        let error = (&p.eval(&exact) - &Rational::from_f64(value).unwrap_or_default()).to_f64();
        let sizes: Vec<f64> = x.iter().map(|c| c.abs()).collect();
        let size = float.map(|c| c.abs()).eval(&sizes);
        // Coefficients are rounded once; each term passes one rounding a power and one a step.
        let steps = 2 * (p.total_degree() + p.len() as u64) + 2;
        let allowed = steps as f64 * f64::EPSILON * size;
        crate::laws::broken::within(law, error.abs(), allowed)?;
    }
    Ok(())
}

/// The laws of algebra on polynomials made from arbitrary bytes.
///
/// # Panics
/// When a law is broken: that is what a fuzzer looks for.
#[allow(clippy::panic)]
pub fn fuzz_poly_algebra(data: &[u8]) {
    let mut bytes = Bytes::new(data);
    let (f, g, h) = (
        small_poly(&mut bytes),
        small_poly(&mut bytes),
        small_poly(&mut bytes),
    );
    let orders = [
        Order::Lex,
        Order::DegLex,
        Order::DegRevLex,
        Order::Block(1),
        Order::Weight(vec![3, 1]),
    ];
    let order = &orders[bytes.below(orders.len())];
    let run = || -> Result<(), Broken> {
        division_with_remainder(&f, &[g.clone(), h.clone()], order)?;
        gcd_of_multiples(&f, &g, &h)?;
        calculus(&f, &g)?;
        let univariate =
            |p: &P| p.eval_partial(&[None, Some(Rational::from(2)), Some(Rational::from(-1))]);
        let (f, g, h) = (univariate(&f), univariate(&g), univariate(&h));
        factors_multiply_up(&(&f * &g))?;
        resultant_is_multiplicative(&f, &g, &h)?;
        roots_are_isolated(&(&(&f * &g) * &g))
    };
    if let Err(broken) = run() {
        panic!("{broken}");
    }
}

/// The parser on arbitrary text: an error or a polynomial that prints and reads back.
///
/// # Errors
/// [`Broken`] with the text.
pub fn fuzz_poly_parse(data: &[u8]) -> Result<(), Broken> {
    use crate::poly::Vars;
    let text = String::from_utf8_lossy(data);
    let mut vars = Vars::new();
    let small = Budget::default().terms(1 << 10).work(1 << 20).bits(1 << 20);
    let Ok(p) = P::parse_within(&text, &mut vars, &small) else {
        return Ok(());
    };
    let shown = p.display(&vars).to_string();
    let again = P::parse(&shown, &mut vars);
    let sound = again.as_ref() == Ok(&p) && (!p.is_zero() || p.coefficient(&[]).is_zero());
    check("poly::display_reads_back", sound, || shown.clone())
}
