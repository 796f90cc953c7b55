//! Schemes over Q(i): read from every spelling, written, and held against complex tensors.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::catalogues::{exact, read};
use num_complex::Complex;
use wickring::certify::{Certificate, Limits, check};
use wickring::scheme::{
    Adjoined, SchemeField, SchemeText, Target, Verdict, examine, schemes_from_arrays,
    schemes_from_complex,
};
use wickring::tensor::Tensor;

#[test]
fn complex_factors_of_an_archive() {
    let arrays = |u: Complex<f64>, v: Complex<f64>| {
        let one = |z| Tensor::from_vec(&[1, 1], vec![z]).unwrap();
        let last = one(Complex::new(0.5, 0.0));
        [("u", one(u)), ("v", one(v)), ("w", last)].map(|(k, t)| (k.to_owned(), t))
    };
    let i = Complex::new(0.0, 1.0);
    // i (-2i) / 2 = 1.
    let schemes = schemes_from_complex(&arrays(i, -2.0 * i), "").unwrap();
    let found = examine(&schemes[0], None, SchemeField::Auto).unwrap();
    assert_eq!((found.verdict, &found.field[..]), (Verdict::Exact, "Q(i)"));
    let schemes = schemes_from_complex(&arrays(i, 2.0 * i), "").unwrap();
    assert!(!exact(&schemes[0]).0);
    let rounded = schemes_from_complex(&arrays(i * 0.1, i * 20.0), "")
        .unwrap_err()
        .to_string();
    assert!(rounded.contains("no multiple of 1/256"), "{rounded}");
    let nan = schemes_from_complex(&arrays(i * f64::NAN, i), "");
    assert!(nan.is_err());
}

#[test]
fn complex_schemes_are_written_as_products_and_read_back() {
    let text = "((1-1/2j)*a11 + 1j*a12)*(b11 - j*b21)*(0.5*c11)\n(-a11 - i*a12)*(b11 + 2*b21)*(-(2+j/3)c11)\n";
    let mut scheme = read(text, "x").unwrap().remove(0);
    let written = SchemeText::Products.write(&scheme, "x").unwrap();
    let again = read(&written[0], "x").unwrap().remove(0);
    assert_eq!(again.factors, scheme.factors);
    assert!(
        written[0].contains("(1-1/2*i)*a11+(1*i)*a12"),
        "{written:?}"
    );
    scheme.adjoined = Adjoined::X;
    let refused = SchemeText::Products.write(&scheme, "x");
    assert!(refused.unwrap_err().to_string().contains("holds numbers"));
}

#[test]
fn complex_schemes_are_held_against_complex_tensors() {
    let z = |re: f64, im: f64| Complex::new(re, im);
    let entries = [z(0.0, 2.0), z(1.0, 0.0), z(0.0, 0.0), z(0.0, 0.5)];
    let t = Tensor::from_vec(&[2, 2, 1], entries.to_vec()).unwrap();
    let target = Target::complex(t.view()).unwrap();
    assert!(matches!(target, Target::Complex(..)));
    let matrix = |rows: usize, list: &[Complex<f64>]| {
        Tensor::from_vec(&[rows, list.len() / rows], list.to_vec()).unwrap()
    };
    // The columns of the tensor times unit vectors.
    let (o, l) = (z(0.0, 0.0), z(1.0, 0.0));
    let arrays = |off: f64| {
        [
            ("u", matrix(2, &[z(0.0, 2.0), l, o, z(off, 0.5)])),
            ("v", matrix(2, &[l, o, o, l])),
            ("w", matrix(1, &[l, l])),
        ]
        .map(|(k, t)| (k.to_owned(), t))
    };
    let judged = |off: f64, target: &Target| {
        let scheme = schemes_from_complex(&arrays(off), "").unwrap().remove(0);
        let found = examine(&scheme, Some(target), SchemeField::Auto).unwrap();
        let bound = found.residual.relative_bound(target);
        (found.verdict, bound, scheme.claim(&found.field, target))
    };
    let (verdict, bound, claim) = judged(0.0, &target);
    assert_eq!((verdict, bound), (Verdict::Exact, 0.0));
    let text = Certificate::new().claim(claim).to_json();
    assert!(check(&text, Limits::default()).unwrap().holds());
    let (verdict, bound, claim) = judged(0.25, &target);
    assert_eq!(verdict, Verdict::Wrong);
    // 1/4 of the square root of 4 + 1 + 1/4.
    assert!((bound - 0.25 / 5.25f64.sqrt()).abs() < 1e-12, "{bound}");
    let text = Certificate::new().claim(claim).to_json();
    assert!(check(&text, Limits::default()).unwrap().refuted());
    // A tensor without imaginary parts is a real one.
    let real = Tensor::from_vec(&[1, 1], vec![l]).unwrap();
    assert!(matches!(
        Target::complex(real.view()).unwrap(),
        Target::Dense(..)
    ));
    // Parts under names of their own, as decompositions write them, and complex weights.
    let parts = |off: f64| {
        let mut list = vec![(
            "weights".to_owned(),
            Tensor::from_vec(&[2], vec![1.0, 0.0]).unwrap(),
        )];
        list.push((
            "weights_imag".to_owned(),
            Tensor::from_vec(&[2], vec![0.0, 1.0]).unwrap(),
        ));
        for (k, (name, t)) in arrays(off).into_iter().enumerate() {
            let part = |f: fn(&Complex<f64>) -> f64| {
                Tensor::from_vec(t.dims(), t.as_slice().iter().map(f).collect()).unwrap()
            };
            let _ = name;
            list.push((format!("factor_{k}_imag"), part(|z| z.im)));
            list.push((format!("factor_{k}"), part(|z| z.re)));
        }
        list
    };
    let scheme = schemes_from_arrays(&parts(0.0), "").unwrap().remove(0);
    let turned = [entries[0], entries[1], o, z(-0.5, 0.0)];
    let t = Tensor::from_vec(&[2, 2, 1], turned.to_vec()).unwrap();
    let found = examine(
        &scheme,
        Some(&Target::complex(t.view()).unwrap()),
        SchemeField::Auto,
    );
    assert_eq!(found.unwrap().verdict, Verdict::Exact);
    let alone = [(
        "factor_0_imag".to_owned(),
        Tensor::from_vec(&[1, 1], vec![1.0]).unwrap(),
    )];
    let refused = schemes_from_arrays(&alone, "").unwrap_err().to_string();
    assert!(refused.contains("real parts"), "{refused}");
}

#[test]
fn complex_coefficients_are_read_exactly() {
    // (a11 + i a12)(b11 - i b21) + (a11 - i a12)(b11 + i b21) = 2 (a11 b11 + a12 b21).
    let text = "((1+0j)*a11 + 1j*a12)*(b11 - j*b21)*(0.5*c11)\n(a11 - i*a12)*(1*b11 + 2j/2*b21)*c11/(1+1j)*(1/2+0.5j)\n";
    let found = read(text, "x").unwrap();
    assert_eq!(exact(&found[0]), (true, "<1,2,1>".into()));
    let wrong = read(&text.replace("- j*b21", "+ j*b21"), "x").unwrap();
    assert!(!exact(&wrong[0]).0);
    // 1/2j is half of j, as 1/2a12 is half of an entry: (1/2 j) (-2 j) = 1.
    let right = read("(1/2j*a11)*(-2j*b11)*c11", "y_1x1x1").unwrap();
    assert!(exact(&right[0]).0);
    let wrong = read("(1/2j*a11)*(2j*b11)*c11", "y_1x1x1").unwrap();
    assert!(!exact(&wrong[0]).0);
    assert!(
        read("a11*b11*c11/(0+0j)", "x")
            .unwrap_err()
            .contains("other than zero")
    );
    assert!(
        read("a11*b11*(c11+1j)", "x")
            .unwrap_err()
            .contains("without a number")
    );
}
