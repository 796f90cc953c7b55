//! Gaussian calculus against published tables, closed forms of the theory of online learning, and hostile input.
//! Tests that read tables from `../shared/data/special` are ignored where that folder does not exist.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use wickring::Error;
use wickring::poly::gaussian::{
    Activation, Covariance, GaussianLaw, HermiteExpansion, Law, PairLaw, StraightLine, dual_kernel,
    exact_hermite, gauss_hermite, symbolic_covariance,
};
use wickring::poly::{Poly, Rational, Vars};

fn table(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/data")
        .join(name);
    std::fs::read_to_string(path).ok()
}

/// A printed number of 40 digits; what is below 1e-50 is the rounding of the table's maker and stands for zero.
fn printed(cell: &str) -> String {
    let cell = cell.trim();
    if cell.parse::<f64>().unwrap().abs() < 1e-50 {
        "0".to_owned()
    } else {
        cell.to_owned()
    }
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn hermite_coefficients_to_the_last_digit_of_the_table() -> Result<(), Error> {
    let Some(text) = table("special/hermite_coefficients_relu_abs_sign_erf.csv") else {
        return Ok(());
    };
    let columns = [
        Activation::Relu,
        Activation::Abs,
        Activation::Sign,
        Activation::Erf,
    ];
    let exact: Vec<_> = columns
        .iter()
        .map(|f| exact_hermite(f, 30))
        .collect::<Result<_, _>>()?;
    let floats: Vec<_> = columns
        .iter()
        .map(|f| f.hermite(30, 1.0))
        .collect::<Result<_, _>>()?;
    let mut checked = 0;
    for (k, line) in text.lines().skip(1).enumerate() {
        for (c, cell) in line.split(',').skip(1).enumerate() {
            let expected = printed(cell);
            let digits = expected
                .trim_start_matches(['-', '0', '.'])
                .replace('.', "")
                .len() as u32;
            let ours = exact[c][k].normalised_decimal(k as u32, digits.max(1))?;
            assert_eq!(ours, expected, "column {c}, k = {k}");
            let (value, float) = (expected.parse::<f64>().unwrap(), floats[c].coefficients[k]);
            assert!(
                (value - float).abs() <= (k + 2) as f64 * f64::EPSILON * value.abs(),
                "column {c}, k = {k}: {float}"
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 31 * 4);
    Ok(())
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn moments_and_cumulants_of_the_tabulated_quadratic_forms() -> Result<(), Error> {
    let Some(text) = table("special/gaussian_quadratic_form_moments.json") else {
        return Ok(());
    };
    let cases: serde_json::Value = serde_json::from_str(&text).unwrap();
    let words = |v: &serde_json::Value| -> Vec<Rational> {
        v.as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_str().unwrap().parse().unwrap())
            .collect()
    };
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let rows = case["A"].as_array().unwrap();
        let n = rows.len();
        let mut p = Poly::zero();
        for (i, row) in rows.iter().enumerate() {
            for (j, a) in row.as_array().unwrap().iter().enumerate() {
                p += &(&Poly::variable(i) * &Poly::variable(j))
                    .scale(&Rational::from(a.as_i64().unwrap()));
            }
        }
        let law = GaussianLaw::standard(n);
        assert_eq!(law.cumulants(&p, 8)?, words(&case["cumulants"]));
        assert_eq!(law.moments(&p, 8)?, words(&case["raw_moments"])[1..]);
    }
    Ok(())
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn the_linearisation_table() -> Result<(), Error> {
    let Some(text) = table("special/hermite_linearisation.json") else {
        return Ok(());
    };
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut checked = 0;
    for (key, row) in all.as_object().unwrap() {
        let (m, n) = key.split_once(',').unwrap();
        let he = |k: &str| {
            let symbol = Poly::monomial(&[k.parse().unwrap()], Rational::from(1));
            HermiteExpansion::from_symbol(symbol, Rational::from(1))
        };
        let row = row.as_object().unwrap().iter();
        let expected = Poly::from_terms(row.map(|(k, c)| {
            (
                vec![k.parse().unwrap()],
                c.as_str().unwrap().parse().unwrap(),
            )
        }));
        assert_eq!(
            he(m).mul_by_linearisation(&he(n))?.symbol(),
            &expected,
            "{key}"
        );
        assert_eq!(
            he(m).mul_by_conversion(&he(n))?.symbol(),
            &expected,
            "{key}"
        );
        checked += 1;
    }
    assert_eq!(checked, 91);
    Ok(())
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn far_nodes_of_gauss_hermite_and_pair_expectations() -> Result<(), Error> {
    if let Some(text) = table("special/gauss_hermite_prob_extreme_node.csv") {
        for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
            let cells: Vec<&str> = line.split(',').collect();
            let n: usize = cells[0].parse().unwrap();
            let (node, weight): (f64, f64) = (cells[1].parse().unwrap(), cells[2].parse().unwrap());
            let (nodes, weights) = gauss_hermite(n)?;
            assert!(
                (nodes[n - 1] - node).abs() <= 2.0 * f64::EPSILON * node,
                "{n}: {}",
                nodes[n - 1]
            );
            // An error of half an ulp of the node changes the weight by n^(1/2) node ulps at most.
            let slack = 4.0 * n as f64 * f64::EPSILON;
            assert!(
                (weights[n - 1] / weight - 1.0).abs() <= slack * node,
                "{n}: {}",
                weights[n - 1]
            );
        }
    }
    if let Some(text) = table("special/pair_expectations.csv") {
        for line in text.lines().skip(1).filter(|l| !l.is_empty()) {
            let cells: Vec<&str> = line.split(',').collect();
            let rho: Rational = cells[0].parse()?;
            let pair = PairLaw::standard(rho.to_f64());
            for (f, cell) in [(Activation::Relu, cells[1]), (Activation::Erf, cells[2])] {
                let (value, ours): (f64, f64) = (cell.parse().unwrap(), dual_kernel(&f, pair)?);
                assert!(
                    (value - ours).abs() <= 4.0 * f64::EPSILON * value.abs(),
                    "{f:?} at {rho}: {ours} {value}"
                );
            }
        }
    }
    Ok(())
}

/// `E` of a polynomial in `a, b, c, d` under a symbolic covariance, as a polynomial in its entries.
fn symbolic(text: &str) -> Result<(Poly<Rational>, Vars), Error> {
    let mut vars = Vars::fixed(["a", "b", "c", "d"]);
    let p = Poly::<Rational>::parse(text, &mut vars)?;
    let (rows, names) = symbolic_covariance(4);
    let law = GaussianLaw::centred(Covariance::new(rows)?);
    Ok((
        law.expectation(&p.map(|c| Poly::constant(c.clone())))?,
        names,
    ))
}

/// I2, I3, I4 of polynomial students: `I3 = E[g'(a) b g(c)]`, `I4 = E[g'(a) g'(b) g(c) g(d)]`, `J2 = E[g'(a) g'(b)]`, `K2 = E[g''(a) g(b)]`.
#[test]
fn integrals_of_online_learning_as_polynomials_in_the_covariance() -> Result<(), Error> {
    let (i4, mut names) = symbolic("2*a*2*b*(c^2-1)*(d^2-1)")?;
    let closed = "4*s_1_2*((s_3_3-1)*(s_4_4-1)+2*s_3_4^2) + 8*s_1_3*s_2_3*(s_4_4-1) + 8*s_1_4*s_2_4*(s_3_3-1) \
                  + 16*s_3_4*(s_1_3*s_2_4+s_1_4*s_2_3)";
    assert_eq!(i4, Poly::parse(closed, &mut names)?);
    assert_eq!(i4.len(), 11);
    let g = "(X^3-3*X)";
    let slope = "(3*X^2-3)";
    let at = |f: &str, x: &str| f.replace('X', x);
    let (cubic, mut names) =
        symbolic(&[at(slope, "a"), at(slope, "b"), at(g, "c"), at(g, "d")].join("*"))?;
    assert_eq!((cubic.len(), cubic.total_degree()), (86, 5));
    // Stein: I3 = C_ab K2(a, c) + C_bc J2(a, c).
    let (i3, _) = symbolic(&[at(slope, "a"), "b".to_owned(), at(g, "c")].join("*"))?;
    let (k2, _) = symbolic(&["6*a".to_owned(), at(g, "c")].join("*"))?;
    let (j2, _) = symbolic(&[at(slope, "a"), at(slope, "c")].join("*"))?;
    let entry = |name: &str, names: &mut Vars| Poly::<Rational>::parse(name, names);
    let right = &(&entry("s_1_2", &mut names)? * &k2) + &(&entry("s_2_3", &mut names)? * &j2);
    assert_eq!(i3, right);
    // Price: dI2/dC_ac = J2.
    let (i2, _) = symbolic(&[at(g, "a"), at(g, "c")].join("*"))?;
    let index = names.index("s_1_3").unwrap();
    assert_eq!(i2.derivative(index), j2);
    // Compiled once, evaluated in floats, against the exact value.
    let program = StraightLine::compile(&[&cubic, &i4])?;
    let entries: Vec<Rational> = (1..=10).map(|k| Rational::new(k, 7).unwrap()).collect();
    let point: Vec<f64> = entries.iter().map(Rational::to_f64).collect();
    let mut values = [0.0; 2];
    program.eval(&point, &mut Vec::new(), &mut values)?;
    for (value, p) in values.iter().zip([&cubic, &i4]) {
        let size: f64 = p
            .iter()
            .map(|(e, c)| Poly::monomial(&e, c.abs()).eval(&entries).to_f64())
            .sum();
        assert!(
            (value - p.eval(&entries).to_f64()).abs() <= (p.len() + 5) as f64 * f64::EPSILON * size
        );
    }
    // I4 is symmetric in a <-> b: exchanging the symbols gives the same polynomial.
    let (swapped, _) =
        symbolic(&[at(slope, "b"), at(slope, "a"), at(g, "c"), at(g, "d")].join("*"))?;
    assert_eq!(swapped, cubic);
    Ok(())
}

#[test]
fn high_degrees() -> Result<(), Error> {
    // He_40 round trip, its norm, and its moment.
    let he40 =
        HermiteExpansion::from_symbol(Poly::monomial(&[40], Rational::from(1)), Rational::from(1));
    let p = he40.to_poly()?;
    assert_eq!(HermiteExpansion::from_poly(&p)?, he40);
    let factorial = (1..=40).fold(Rational::from(1), |f, k| &f * &Rational::from(k));
    assert_eq!(he40.inner(&he40)?, factorial);
    assert_eq!(
        GaussianLaw::standard(1).moments(&p, 2)?,
        [Rational::default(), factorial]
    );
    // Total degree 8 in eight variables under a full singular covariance: x_i = i * g + (-1)^i * h.
    let rows = (1..=8i64).map(|i| {
        (1..=8i64).map(move |j| Rational::from(i * j + if (i + j) % 2 == 0 { 1 } else { -1 }))
    });
    let law = GaussianLaw::centred(Covariance::new(rows.map(Iterator::collect).collect())?);
    let sum = Poly::sum((0..8).map(Poly::variable));
    let p = sum.pow(8, 1 << 20)?;
    assert_eq!(p.len(), 6435);
    // The sum is 36 g + 0 h.
    assert_eq!(
        law.expectation(&p)?,
        &Rational::from(105) * &Rational::from(36).pow(8)
    );
    let h = HermiteExpansion::from_poly(&p)?;
    assert_eq!(h.to_poly()?, p);
    // Clenshaw at degree 60 in floats against the exact value.
    let exact =
        HermiteExpansion::from_symbol(Poly::monomial(&[60], Rational::from(1)), Rational::from(1));
    let float = HermiteExpansion::from_symbol(Poly::monomial(&[60], 1.0), 1.0);
    for x in [0.5, 3.0, 9.0] {
        let value = exact.eval(&[Rational::from_f64(x).unwrap()])?.to_f64();
        let envelope =
            (1..=60).map(|k| f64::from(k).sqrt()).product::<f64>() * (0.25 * x * x).exp();
        assert!(
            (float.eval(&[x])? - value).abs() <= 60.0 * f64::EPSILON * envelope,
            "{x}"
        );
    }
    Ok(())
}

#[test]
fn hostile_input_is_refused_in_words() {
    let big = Poly::monomial(&[u32::MAX], Rational::from(1));
    assert!(matches!(
        HermiteExpansion::from_poly(&big),
        Err(Error::Overflow { .. } | Error::LimitExceeded { .. })
    ));
    let big = Poly::monomial(&[4_000_000_000], Rational::from(1));
    assert!(HermiteExpansion::from_poly(&big).is_err());
    assert!(GaussianLaw::standard(1).expectation(&big).is_err());
    assert!(
        GaussianLaw::standard(1)
            .moments(&Poly::monomial(&[1 << 20, 1], Rational::from(1)), 2)
            .is_err()
    );
    let dense = Covariance::new(vec![vec![Rational::from(1); 40]; 40]).unwrap();
    let wide = Poly::monomial(&[3; 40], Rational::from(1));
    assert!(matches!(
        GaussianLaw::centred(dense).expectation(&wide),
        Err(Error::LimitExceeded { .. })
    ));
    assert!(exact_hermite(&Activation::Tanh, 3).is_err());
}

/// The streamed contraction equals the exact mean of `y H_l(x)` contracted, sample by sample, on a grid of rational points.
#[test]
fn streamed_contractions_equal_the_exact_tensors() -> Result<(), Error> {
    use wickring::laws::gaussian::hermite::contracted_hermite;
    use wickring::stats::HermiteContractions;
    let points = [[1, -2, 3], [0, 1, 1], [-3, 2, 2], [2, 2, -1], [1, 0, -2i64]];
    let labels = [1, -2, 3, 1, 2i64];
    let rational =
        |list: &[i64]| -> Vec<Rational> { list.iter().map(|&k| Rational::from(k)).collect() };
    let g: Vec<Rational> = [(3, 5), (0, 1), (4, 5)]
        .map(|(a, b)| Rational::new(a, b).unwrap())
        .to_vec();
    let unit = g.iter().map(Rational::to_f64).collect::<Vec<_>>();
    let x = faer::Mat::from_fn(5, 3, |i, j| points[i][j] as f64);
    let y = labels.map(|k| k as f64);
    let make =
        || HermiteContractions::new(3, vec![vec![0.0, 1.0, 0.0], unit.clone()], vec![2, 3, 4, 6]);
    let (mut sums, mut rest) = (make()?, make()?);
    sums.absorb(x.as_ref().subrows(0, 2), &y[..2])?;
    rest.absorb(x.as_ref().subrows(2, 3), &y[2..])?;
    sums.merge(&rest)?;
    for (o, order) in [2usize, 3, 4, 6].into_iter().enumerate() {
        let ours = sums.contraction(1, o)?;
        for (i, j) in (0..3).flat_map(|i| (0..3).map(move |j| (i, j))) {
            let axis = |k: usize| rational(&[0, 1, 2].map(|m| i64::from(m == k as i64)));
            let (a, b) = (axis(i), axis(j));
            let mut vectors = vec![&g[..]; order - 2];
            vectors.extend([&a[..], &b[..]]);
            let h = contracted_hermite(&vectors)?;
            let mut mean = Rational::default();
            for (point, label) in points.iter().zip(labels) {
                mean += &(&Rational::from(label) * &h.eval(&rational(point)));
            }
            let mean = mean.to_f64() / 5.0;
            // Values up to 10^4 are summed; rounding stays below a thousand eps of that.
            assert!(
                (ours[(i, j)] - mean).abs() < 1e7 * f64::EPSILON,
                "order {order}: {} {mean}",
                ours[(i, j)]
            );
        }
    }
    assert!(
        sums.absorb(faer::Mat::from_fn(1, 3, |_, _| f64::NAN).as_ref(), &[1.0])
            .is_err()
    );
    assert!(HermiteContractions::new(3, vec![vec![1.0, 1.0, 0.0]], vec![2]).is_err());
    Ok(())
}

#[test]
fn hermite_forms_become_symmetric_tensors_and_back() -> Result<(), Error> {
    use wickring::tensor::{form_to_tensor, tensor_to_form};
    let p = Poly::<Rational>::parse("(x + 2*y - z/3)^5 + x*y*z + y^3", &mut Vars::new())?;
    for order in 0..=5 {
        // E[p H_l] = E[grad^l p]: entry by entry.
        let form = HermiteExpansion::from_poly(&p)?.hermite_form(order);
        let tensor = form_to_tensor(&form, order as usize, 3)?;
        assert_eq!(tensor_to_form(&tensor)?, form);
        let law = GaussianLaw::standard(3);
        if order == 2 {
            let entry = law.expectation(&p.derivative(0).derivative(2))?;
            assert_eq!(tensor.view().get(&[2, 0]), Some(&entry));
        }
    }
    assert!(form_to_tensor(&p, 5, 3).is_err());
    Ok(())
}
