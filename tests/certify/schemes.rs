//! Schemes of the public catalogues: verdicts, conventions, faults, mutations, hostile files.

#![allow(clippy::unwrap_used, clippy::print_stderr)] // helpers of tests

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use std::path::{Path, PathBuf};
use wickring::certify::{Certificate, Claim, Expression, Limits, check};
use wickring::laws::certificates::verdicts_follow_from_definitions;
use wickring::laws::schemes::{
    fuzz_certificate, fuzz_factor_files, fuzz_schemes, mutants_are_rejected,
    mutants_modulo_two_are_rejected,
};
use wickring::poly::Rational;
use wickring::scheme::{
    Cost, KnownRanks, Scheme, SchemeField, SchemeFormat, Target, Verdict, examine, find_faults,
    read_lrp, read_schemes, schemes_from_arrays,
};
use wickring::tensor::Tensor;

/// The catalogue files, or `None` with a plain word when they are not there.
fn catalogue() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/schemes");
    if dir.is_dir() {
        return Some(dir);
    }
    eprintln!("skipped: no catalogue files at {}", dir.display());
    None
}

fn load(dir: &Path, name: &str) -> Vec<Scheme> {
    let text = |n: &str| std::fs::read_to_string(dir.join(n)).unwrap();
    if let Some(stem) = name.strip_suffix("_L.sms") {
        let part = |k| text(&format!("{stem}_{k}.sms"));
        return vec![read_lrp(&part("L"), &part("R"), &part("P"), stem).unwrap()];
    }
    let extension = name.rsplit('.').next().unwrap();
    let format = SchemeFormat::of_extension(extension).unwrap();
    read_schemes(&text(name), format, name).unwrap()
}

/// Everything the catalogue calls exact over Q.
fn exact_files() -> Vec<&'static str> {
    vec![
        "kauers_wood_268_largest_denominators.m",
        "perminov_2x4x9_58_Q.json",
        "laderman_333_23.m",
        "sedoglavic_2x3x5.mpl",
        "benson_ballard_strassen.txt",
        "plinopt_4x4x4_48_rational_L.sms",
        "plinopt_2o2o4_5_Toom3_L.sms",
    ]
}

fn strassen() -> Scheme {
    let text = "# A\n1 0 1 0 1 -1 0\n0 0 0 0 1 0 1\n0 1 0 0 0 1 0\n1 1 0 1 0 0 -1\n#\n1 1 0 -1 0 1 0\n0 0 1 0 0 1 0\n\
                0 0 0 1 0 0 1\n1 0 -1 0 1 0 1\n#\n1 0 0 1 -1 0 1\n0 0 1 0 1 0 0\n0 1 0 1 0 0 0\n1 -1 1 0 0 1 0\n";
    read_schemes(text, SchemeFormat::Laurent, "")
        .unwrap()
        .remove(0)
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn every_catalogue_file_gets_its_verdict() {
    let Some(dir) = catalogue() else { return };
    for name in exact_files() {
        for scheme in load(&dir, name) {
            let found = examine(&scheme, None, SchemeField::Auto).unwrap();
            assert_eq!(found.verdict, Verdict::Exact, "{name}");
            assert!(!found.field.starts_with("mod"), "{name}");
        }
    }
    let alpha = load(&dir, "alphatensor_11_schemes.json");
    assert_eq!(alpha.len(), 11);
    for scheme in &alpha {
        let modular = scheme.name.contains("mod2");
        let over_q = examine(scheme, None, SchemeField::Rationals).unwrap();
        assert_eq!(
            over_q.verdict == Verdict::Exact,
            !modular,
            "{}",
            scheme.name
        );
        let auto = examine(scheme, None, SchemeField::Auto).unwrap();
        assert_eq!(auto.verdict, Verdict::Exact, "{}", scheme.name);
        assert_eq!(auto.field == "mod 2", modular, "{}", scheme.name);
        assert_eq!(auto.convention(), "third factor stored transposed");
    }
    let flips = load(&dir, "moosbauer_444_47_mod2.exp").remove(0);
    assert_eq!(
        examine(&flips, None, SchemeField::Auto).unwrap().field,
        "mod 2"
    );
    assert_eq!(
        examine(&flips, None, SchemeField::Rationals)
            .unwrap()
            .verdict,
        Verdict::Wrong
    );
    for (name, wrong) in [("bini322-10-52", 20), ("schonhage333-21-117", 33)] {
        let scheme = load(&dir, &format!("benson_ballard_{name}-approx.txt")).remove(0);
        let found = examine(&scheme, None, SchemeField::Auto).unwrap();
        assert_eq!(found.verdict, Verdict::Border { order: 1 }, "{name}");
        assert_eq!(found.residual.wrong_entries(), wrong, "{name}");
        let claim = found
            .scheme
            .claim(&found.field, &found.target)
            .up_to_order(1);
        let text = Certificate::new().claim(claim).to_json();
        assert!(check(&text, Limits::default()).unwrap().holds(), "{name}");
    }
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn bad_files_are_wrong_by_so_many_entries() {
    let Some(dir) = catalogue() else { return };
    let bad = dir.join("bad");
    for (name, wrong, explained) in [
        ("one_sign_flipped_223_11.m", 2, true),
        ("one_vector_negated_333_23.json", 2, true),
        ("near_miss_bini_322_10.json", 20, false),
    ] {
        let scheme = load(&bad, name).remove(0);
        let found = examine(&scheme, None, SchemeField::Auto).unwrap();
        assert_eq!(found.verdict, Verdict::Wrong, "{name}");
        assert_eq!(found.residual.wrong_entries(), wrong, "{name}");
        let faults = find_faults(&found.scheme, &found.residual);
        assert_eq!(!faults.is_empty(), explained, "{name}");
        // Every proposed repair must really repair.
        for fault in faults {
            let mut repaired = found.scheme.clone();
            for (at, old, new) in &fault.repairs {
                repaired = repaired.changed(fault.factor, *at, fault.term, &(new - old));
            }
            let again = examine(&repaired, Some(&found.target), SchemeField::Rationals).unwrap();
            assert_eq!(again.verdict, Verdict::Exact, "{name}: {fault}");
        }
    }
    let near = load(&bad, "near_miss_bini_322_10.json").remove(0);
    let found = examine(&near, None, SchemeField::Auto).unwrap();
    assert_eq!(found.residual.largest(), 2f64.powi(-27));
}

#[test]
#[cfg_attr(
    not(data_beside),
    ignore = "needs the published data beside the repository"
)]
fn certificates_of_catalogue_files_pass_the_checker() {
    let Some(dir) = catalogue() else { return };
    let mut certificate = Certificate::new();
    for name in exact_files() {
        for scheme in load(&dir, name) {
            let found = examine(&scheme, None, SchemeField::Auto).unwrap();
            certificate = certificate.claim(found.scheme.claim(&found.field, &found.target));
        }
    }
    let report = check(&certificate.to_json(), Limits::default()).unwrap();
    assert!(report.holds());
    assert_eq!(report.findings.len(), exact_files().len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    /// One entry of any correct scheme changed: rejected, and the fault found.
    #[test]
    fn a_mutated_entry_is_rejected(pick in any::<u64>(), factor in 0usize..3, choice in any::<u32>(), n in -3i64..4, d in 1i64..4) {
        let delta = Rational::new(if n == 0 { 5 } else { n }, d).unwrap();
        let mut schemes = vec![strassen()];
        if let Some(dir) = catalogue() {
            let names = exact_files();
            schemes.extend(load(&dir, names[pick as usize % names.len()]));
            let mut alpha = load(&dir, "alphatensor_11_schemes.json");
            alpha.retain(|s| !s.modulo_two);
            schemes.push(alpha.swap_remove(pick as usize / 8 % alpha.len()));
        }
        let scheme = schemes.swap_remove(pick as usize / 64 % schemes.len());
        let law = mutants_are_rejected(&scheme, factor, choice as usize, &delta);
        prop_assert!(law.is_ok(), "{}", law.unwrap_err());
    }

    /// The schemes that are exact modulo 2 only.
    #[test]
    fn a_mutated_entry_is_rejected_modulo_two(pick in 0usize..4, factor in 0usize..3, choice in any::<u32>()) {
        let Some(dir) = catalogue() else { return Ok(()) };
        let mut schemes = load(&dir, "alphatensor_11_schemes.json");
        schemes.retain(|s| s.modulo_two);
        schemes.extend(load(&dir, "moosbauer_444_47_mod2.exp"));
        prop_assert_eq!(schemes.len(), 4);
        let law = mutants_modulo_two_are_rejected(&schemes[pick], factor, choice as usize);
        prop_assert!(law.is_ok(), "{}", law.unwrap_err());
    }

    #[test]
    fn readers_and_checker_end_on_any_bytes(data in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(fuzz_schemes(&data).is_ok());
        prop_assert!(fuzz_certificate(&data).is_ok());
        prop_assert!(fuzz_factor_files(&data).is_ok());
        prop_assert_eq!(verdicts_follow_from_definitions(&data), Ok(()));
    }
}

#[test]
fn verdicts_are_those_of_slow_definitions() {
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(19);
    for _ in 0..6000 {
        let data: Vec<u8> = (0..160).map(|_| rng.random()).collect();
        assert_eq!(verdicts_follow_from_definitions(&data), Ok(()));
    }
}

#[test]
fn regressions_of_fuzzing_stay_fixed() {
    for (folder, law) in [
        ("schemes", fuzz_schemes as fn(&[u8]) -> _),
        ("certificates", fuzz_certificate),
        ("factor_files", fuzz_factor_files),
    ] {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("fuzz/regressions")
            .join(folder);
        let mut count = 0;
        for file in std::fs::read_dir(dir).unwrap() {
            law(&std::fs::read(file.unwrap().path()).unwrap()).unwrap();
            count += 1;
        }
        assert!(count > 0, "{folder}");
    }
}

#[test]
fn formats_agree_on_one_scheme() {
    let expected = strassen();
    // The same scheme as sums of products, with the last matrix transposed.
    let products = "(a11+a22)*(b11+b22)*(c11+c22)\n(a21+a22)*(b11)*(c12-c22)\n(a11)*(b12-b22)*(c21+c22)\n\
                    (a22)*(-b11+b21)*(c11+c12)\n(a11+a12)*(b22)*(-c11+c21)\n(-a11+a21)*(b11+b12)*(c22)\n\
                    (a12-a22)*(b21+b22)*(c11)\n";
    let read = read_schemes(products, SchemeFormat::Products, "")
        .unwrap()
        .remove(0);
    let found = examine(&read, None, SchemeField::Auto).unwrap();
    assert_eq!(
        (found.verdict, found.convention().as_str()),
        (Verdict::Exact, "third factor stored transposed")
    );
    let arrays: Vec<(String, Tensor)> = expected
        .factors
        .iter()
        .zip(["u", "v", "w"])
        .map(|(f, name)| {
            let mut data = vec![0.0; f.size() * 7];
            for (row, term) in f.entries() {
                data[row + f.size() * term] = 1.0;
            }
            (
                name.to_owned(),
                Tensor::from_vec(&[f.size(), 7], data).unwrap(),
            )
        })
        .collect();
    // Signs lost: wrong over the integers, which is said together with what holds modulo 2.
    let read = schemes_from_arrays(&arrays, "x").unwrap().remove(0);
    let found = examine(&read, None, SchemeField::Auto).unwrap();
    assert_eq!(
        (found.verdict, found.field.as_str(), found.holds_modulo_two),
        (Verdict::Wrong, "ZT", true)
    );
    assert!(found.target_guessed);
    let found = examine(&read, None, SchemeField::Modulo(2)).unwrap();
    assert_eq!(found.verdict, Verdict::Exact);
    let named = schemes_from_arrays(&arrays, "x_2x2x2_mod2")
        .unwrap()
        .remove(0);
    let found = examine(&named, None, SchemeField::Auto).unwrap();
    assert_eq!(
        (found.verdict, found.field.as_str(), found.target_guessed),
        (Verdict::Exact, "mod 2", false)
    );
    let cost = Cost::of(&expected, &Target::Matmul([2, 2, 2]));
    assert_eq!(
        (cost.multiplications, cost.additions, cost.scalings),
        (7, 18, 0)
    );
    let table = KnownRanks::parse("format,ZT,Z,Q\n2x2x2,7,7,7\n2x4x5,33,33,32\n").unwrap();
    assert_eq!(table.best([5, 2, 4], "Z[1/2]"), Some(32));
    assert_eq!(table.best([2, 5, 4], "ZT"), Some(33));
    assert_eq!(table.best([2, 2, 2], "mod 2"), None);
}

#[test]
fn fields_are_what_was_asked_for() {
    // Complex multiplication in two products over Q(i).
    let text = "1 1\nI -I\n# \n1 1\nI -I\n#\n1/2 1/2\n-I/2 I/2\n";
    let scheme = read_schemes(text, SchemeFormat::Laurent, "")
        .unwrap()
        .remove(0);
    let product =
        Tensor::from_vec(&[2, 2, 2], vec![1.0, 0.0, 0.0, -1.0, 0.0, 1.0, 1.0, 0.0]).unwrap();
    let target = Target::dense(product.view()).unwrap();
    let found = examine(&scheme, Some(&target), SchemeField::Gauss).unwrap();
    assert_eq!(found.verdict, Verdict::Exact);
    assert!(examine(&scheme, Some(&target), SchemeField::Rationals).is_err());
    assert!(
        examine(&scheme, None, SchemeField::Auto).is_err(),
        "no target is known"
    );
    assert_eq!(SchemeField::parse("Fp:7").unwrap(), SchemeField::Modulo(7));
    assert!(SchemeField::parse("Fp:9").is_err());
    let found = examine(&strassen(), None, SchemeField::Modulo(7)).unwrap();
    assert_eq!(
        (found.verdict, found.field.as_str()),
        (Verdict::Exact, "mod 7")
    );
}

#[test]
fn certificates_of_moments_follow_wick() {
    let e = |text: &str| Expression::parse(text).unwrap();
    let q = |text: &str| text.parse::<Rational>().unwrap();
    let holds = |claim: Claim| {
        let text = Certificate::new().claim(claim).to_json();
        check(&text, Limits::default()).unwrap().holds()
    };
    let z = [e("x^2 - 1"), e("x*y + 3")];
    let zero = q("0");
    let moments = [
        (vec![0, 0], q("2")),
        (vec![0, 1, 1], q("2")),
        (vec![1], q("3")),
    ];
    let cumulants = [
        (vec![0, 0, 0], q("8")),
        (vec![1, 0, 1], q("2")),
        (vec![1], q("3")),
    ];
    assert!(holds(Claim::gaussian_moments(
        &z, &moments, &cumulants, &zero
    )));
    let wrong = [(vec![0, 0, 0], q("8.0000001"))];
    assert!(!holds(Claim::gaussian_moments(&z, &[], &wrong, &zero)));
    assert!(holds(Claim::gaussian_moments(&z, &[], &wrong, &q("1e-6"))));
    // kappa_k of x^2 is 2^(k-1) (k-1)!.
    let chi = [e("x^2")];
    let sixth = [(vec![0; 6], q("3840"))];
    assert!(holds(Claim::gaussian_moments(&chi, &[], &sixth, &zero)));
    let quadratic = Expression::quadratic_form(&[1.0, 0.25, 0.25, -0.5], &[0.0, 1.5], 2.0).unwrap();
    let mean_and_variance = ([(vec![0], q("5/2"))], [(vec![0, 0], q("5"))]);
    assert!(holds(Claim::gaussian_moments(
        &[quadratic],
        &mean_and_variance.0,
        &mean_and_variance.1,
        &zero
    )));
}

/// Small enough to be read in one sitting, by someone who trusts nothing else here.
#[test]
fn the_checker_stays_small_and_alone() {
    let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/certify/checker");
    let count = |dir: &std::path::Path| {
        let files = std::fs::read_dir(dir).unwrap().map(|f| f.unwrap().path());
        let mut lines = 0;
        for file in files.filter(|path| path.is_file()) {
            let text = std::fs::read_to_string(file).unwrap();
            lines += text.lines().count();
            for foreign in [
                "faer",
                "rand",
                "crate::poly",
                "crate::tensor",
                "crate::linalg",
                "certify::prove",
                "f32",
                "f64",
            ] {
                assert!(!text.contains(foreign), "{foreign}");
            }
        }
        lines
    };
    let mut lines = count(&dir);
    assert!(lines < 500, "{lines} lines");
    // Theorems count apart: what they replay is more than identities.
    let theorems = count(&dir.join("theorems"));
    assert!(theorems < 1700, "{theorems} lines of theorems");
    // What it reads with counts as well; neither may pull in more than exact numbers, digests and strings.
    for name in ["json", "numbers", "rings", "format", "rounded"] {
        let text = std::fs::read_to_string(dir.with_file_name(format!("{name}.rs"))).unwrap();
        lines += text.lines().count();
        for foreign in ["faer", "rand", "crate::poly", "crate::tensor"] {
            assert!(!text.contains(foreign), "{name}: {foreign}");
        }
    }
    assert!(
        lines < 1930,
        "{lines} lines with the reader and the arithmetic in binary64"
    );
}
