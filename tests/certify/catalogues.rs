//! The spellings of public catalogues, each read right or refused with what to do. All files are made up.

#![allow(clippy::unwrap_used)] // helpers of tests

use wickring::scheme::{Scheme, SchemeField, SchemeFormat, Verdict, examine, read_schemes};

pub(crate) fn exact(scheme: &Scheme) -> (bool, String) {
    let found = examine(scheme, None, SchemeField::Auto).unwrap();
    (found.verdict == Verdict::Exact, found.target.name())
}

/// The format by content, and the schemes.
pub(crate) fn read(text: &str, name: &str) -> Result<Vec<Scheme>, String> {
    let format = SchemeFormat::of_text(text).ok_or("no format")?;
    read_schemes(text, format, name).map_err(|e| e.to_string())
}

fn refusal(text: &str) -> String {
    let format = SchemeFormat::Products;
    read_schemes(text, format, "x").unwrap_err().to_string()
}

#[test]
fn products_in_every_spelling() {
    let text = "# Strassen\n\
                (a11+a22)(b11+b22)(c11+c22)\n\
                (2a21 + 2*a22)*b11*(c21-c22)/2\n\
                a11*-(b22-b12)*(c12+c22),\n\
                -3*a22*(b11-b21)(1/3c11+c21/3)\n\
                0.5*(a11+a12)*(2*b22)*(-c11+c_1_2);\n\
                \n\
                -(a11-a21)*(b11+b[1,2])*c22\n\
                (a12 - (a22)) * ( b21 + b22 )*(c11)+\n";
    let schemes = read(text, "x").unwrap();
    assert_eq!(schemes[0].rank(), 7);
    assert_eq!(exact(&schemes[0]), (true, "<2,2,2>".into()));
    // One sign away it is wrong.
    let wrong = read(&text.replace("-(b22-b12)", "(b22-b12)"), "x").unwrap();
    assert!(!exact(&wrong[0]).0);
    let bare = read("a11*b11*c11", "y_1x1x1").unwrap();
    assert_eq!(exact(&bare[0]), (true, "<1,1,1>".into()));
    let several = read("a11*b11*c11 + a12*b21*c11", "x").unwrap();
    assert_eq!(exact(&several[0]), (true, "<1,2,1>".into()));
}

#[test]
fn indices_from_ten_on_are_split_by_the_sizes() {
    let line = |j: usize| format!("a1{j}*b{j}1*c11\n");
    let text: String = (1..=11).map(line).collect();
    let schemes = read(&text, "x_1x11x1").unwrap();
    assert_eq!(exact(&schemes[0]), (true, "<1,11,1>".into()));
    let message = refusal(&text);
    assert!(
        message.contains("split in several ways") && message.contains("x_2x3x11.exp"),
        "{message}"
    );
    let message = read(&text, "x_11x11x11").unwrap_err();
    assert!(
        message.contains("split in several ways") && message.contains("a_1_11"),
        "{message}"
    );
    let clear: String = (1..=11).map(|j| format!("a_1_{j}*b{j},1*c11\n")).collect();
    assert_eq!(exact(&read(&clear, "x").unwrap()[0]).1, "<1,11,1>");
}

#[test]
fn what_is_no_product_is_refused() {
    for (text, word) in [
        ("(a11+b11)*b11*c11", "commutative"),
        ("a11*a12*c11", "commutative"),
        ("a1*b11*c11", "one index"),
        ("(a11*a12)*b11*c11", "commutative"),
        ("(a11*b11+a12*b21)*c11", "single entries"),
        ("(2*a11*b11+1)*c11", "single entries"),
        ("a11*b11", "expected a product"),
        ("a11*b11*c11/0", "other than zero"),
        ("a11/b11*c11", "number to divide by"),
        ("(a11+1)*b11*c11", "without a number"),
        ("a11*b11*d11", "two indices"),
        ("a11*b11*c11)", "end of the line"),
        ("(a11*b11*c11", "single entries"),
        ("a[11*b11*c11", "two indices"),
        ("a_0_1*b11*c11", "from 1 to 4096"),
        ("a11*b11*", "found the end"),
        ("a11**b11*c11", "found"),
        ("a11*b11*c11\u{e9}", "end of the line"),
    ] {
        let message = refusal(text);
        assert!(
            message.contains(word) && message.contains("line 1"),
            "{text}: {message}"
        );
    }
    let deep = "(".repeat(5000) + "a11*b11*c11";
    assert!(refusal(&deep).contains("levels of brackets"));
}

/// Strassen's algorithm as plain numbers, each mapped to its text.
fn flat(entry: impl Fn(i64) -> String) -> String {
    let u = [
        [1, 0, 0, 1],
        [0, 0, 1, 1],
        [1, 0, 0, 0],
        [0, 0, 0, 1],
        [1, 1, 0, 0],
        [-1, 0, 1, 0],
        [0, 1, 0, -1],
    ];
    let v = [
        [1, 0, 0, 1],
        [1, 0, 0, 0],
        [0, 1, 0, -1],
        [-1, 0, 1, 0],
        [0, 0, 0, 1],
        [1, 1, 0, 0],
        [0, 0, 1, 1],
    ];
    // Entries c11, c21, c12, c22: rows of the transposed product.
    let w = [
        [1, 0, 0, 1],
        [0, 1, 0, -1],
        [0, 0, 1, 1],
        [1, 1, 0, 0],
        [-1, 0, 1, 0],
        [0, 0, 0, 1],
        [1, 0, 0, 0],
    ];
    let line = |rows: [[i64; 4]; 7]| {
        let words: Vec<String> = rows.iter().flatten().map(|x| entry(*x)).collect();
        words.join(" ")
    };
    format!("2 2 2 7\n{}\n{}\n{}\n", line(u), line(v), line(w))
}

#[test]
fn plain_numbers_of_flip_graph_programs() {
    let whole = flat(|x| x.to_string());
    let schemes = read(&whole, "").unwrap();
    assert_eq!(exact(&schemes[0]), (true, "<2,2,2>".into()));
    let rational = flat(|x| format!("{} 3", 3 * x));
    assert!(exact(&read(&rational, "").unwrap()[0]).0);
    let small = read("1 1 2 2\n1 1\n1 0 0 1\n1 0 0 1\n", "").unwrap();
    assert_eq!(exact(&small[0]), (true, "<1,1,2>".into()));
    let two = format!("2\n{whole}\n{whole}");
    let schemes = read(&two, "").unwrap();
    assert_eq!((schemes.len(), &schemes[1].name[..]), (2, "2"));
    assert!(exact(&schemes[1]).0);
    for (text, word) in [
        (
            whole.replacen("2 2 2 7", "2 2 2 8", 1),
            "expected 32 entries of U",
        ),
        (whole.replacen("2 2 2 7", "2 2 2 0", 1), "a rank from 1"),
        (format!("{whole}5\n"), "the end of the text"),
        (rational.replacen(" 3", " 0", 1), "denominator is zero"),
        (
            whole.trim_end().trim_end_matches('0').to_owned(),
            "the text ends",
        ),
        (format!("3\n{whole}"), "the text ends"),
    ] {
        let message = read_schemes(&text, SchemeFormat::Flat, "")
            .unwrap_err()
            .to_string();
        assert!(message.contains(word), "{word}: {message}");
    }
}

/// Winograd's algorithm with 15 additions.
const REDUCED: &str = r#"{"n":[2,2,2],"m":7,"z2":false,"complexity":{"naive":24,"reduced":15},
"u_fresh":[[{"index":2,"value":1},{"index":3,"value":1}],[{"index":4,"value":1},{"index":0,"value":-1}],
[{"index":0,"value":1},{"index":2,"value":-1}],[{"index":1,"value":1},{"index":5,"value":-1}]],
"v_fresh":[[{"index":1,"value":1},{"index":0,"value":-1}],[{"index":3,"value":1},{"index":4,"value":-1}],
[{"index":3,"value":1},{"index":1,"value":-1}],[{"index":5,"value":1},{"index":2,"value":-1}]],
"w_fresh":[[{"index":0,"value":1},{"index":5,"value":1}],[{"index":7,"value":1},{"index":6,"value":1}],
[{"index":7,"value":1},{"index":4,"value":1}]],
"u":[[{"index":0,"value":1}],[{"index":1,"value":1}],[{"index":7,"value":1}],[{"index":3,"value":1}],
[{"index":4,"value":1}],[{"index":5,"value":1}],[{"index":6,"value":1}]],
"v":[[{"index":0,"value":1}],[{"index":2,"value":1}],[{"index":3,"value":1}],[{"index":7,"value":1}],
[{"index":4,"value":1}],[{"index":5,"value":1}],[{"index":6,"value":1}]],
"w":[[{"index":0,"value":1},{"index":1,"value":1}],[{"index":8,"value":1},{"index":3,"value":-1}],
[{"index":9,"value":1},{"index":2,"value":1}],[{"index":8,"value":1},{"index":4,"value":1}]]}"#;

#[test]
fn reduced_programs_are_expanded() {
    let schemes = read(REDUCED, "").unwrap();
    assert_eq!(
        (schemes[0].rank(), exact(&schemes[0])),
        (7, (true, "<2,2,2>".into()))
    );
    let small = r#"{"n":[1,2,1],"m":2,"z2":false,"complexity":{"naive":1,"reduced":1},"u_fresh":[],"v_fresh":[],
        "w_fresh":[[{"index":0,"value":1},{"index":1,"value":1}]],"u":[[{"index":0,"value":1}],[{"index":1,"value":"2/2"}]],
        "v":[[{"index":0,"value":1}],[{"index":1,"value":1}]],"w":[[{"index":2,"value":1}]]}"#;
    assert!(exact(&read(small, "").unwrap()[0]).0);
    let wrong = REDUCED.replacen("\"value\":-1", "\"value\":1", 1);
    assert!(!exact(&read(&wrong, "").unwrap()[0]).0);
    for (from, to, word) in [
        ("\"index\":5", "\"index\":7", "does not come before"),
        ("\"m\":7", "\"m\":6", "7 forms, expected 6"),
        ("\"n\":[2,2,2]", "\"n\":[2,2]", "three sizes"),
        ("\"value\":-1", "\"value\":\"1e999999999\"", "exact values"),
        ("\"w_fresh\"", "\"w_fresher\"", "w_fresh"),
    ] {
        let message = read(&REDUCED.replacen(from, to, 1), "").unwrap_err();
        assert!(message.contains(word), "{word}: {message}");
    }
    // Forms that double forty times over: the numbers grow, the work does not.
    let fresh: Vec<String> = (0..40)
        .map(|k| {
            let index = if k == 0 { 0 } else { k };
            format!("[{{\"index\":{index},\"value\":1}},{{\"index\":{index},\"value\":1}}]")
        })
        .collect();
    let one = "[[{\"index\":0,\"value\":1}]]";
    let bomb = format!(
        "{{\"n\":[1,1,1],\"m\":1,\"u_fresh\":[{}],\"v_fresh\":[],\"w_fresh\":[],\"u\":[[{{\"index\":40,\
         \"value\":\"1/1099511627776\"}}]],\"v\":{one},\"w\":{one}}}",
        fresh.join(",")
    );
    assert!(exact(&read(&bomb, "").unwrap()[0]).0);
}

#[test]
fn formats_are_known_by_their_content() {
    let of = |text: &str| SchemeFormat::of_text(text);
    for (text, format) in [
        ("{\"u\":[]}", SchemeFormat::Json),
        ("{{{1}}}", SchemeFormat::Mathematica),
        ("s := Triad([Matrix(1,1,[[1]])])", SchemeFormat::Maple),
        ("1\n#\n1\n#\n1\n", SchemeFormat::Laurent),
        ("# U\n1 x\n# V\n1 1\n# W\n1 1\n", SchemeFormat::Laurent),
        ("1 1 1 1\n1\n1\n1\n", SchemeFormat::Flat),
        ("-2*(a11)*b11*c11", SchemeFormat::Products),
        ("# text\n(b11)*a11*c11", SchemeFormat::Products),
        ("m1 := (a11)*(b11);\nc11 := m1;", SchemeFormat::Assignments),
    ] {
        assert_eq!(of(text), Some(format), "{text}");
    }
    assert_eq!(of("some words"), None);
    assert_eq!(of(""), None);
}

/// Strassen's seven products, gamma by rows of C.
const BINI: &str = "# made up\nBini 2 2 2 7\n\nproduct Gamma  Alpha  Beta\n\
    1 ; 1 0 0 1 ; 1 0 0 1 ; 1 0 0 1\n2 ; 0 0 1 -1 ; 0 0 1 1 ; 1 0 0 0\n3 ; 0 1 0 1 ; 1 0 0 0 ; 0 1 0 -1\n\
    4 ; 1 0 1 0 ; 0 0 0 1 ; -1 0 1 0\n5 ; -1 1 0 0 ; 1 1 0 0 ; 0 0 0 1\n6 ; 0 0 0 1 ; -1 0 1 0 ; 1 1 0 0\n\
    7 ; 1 0 0 0 ; 0 1 0 -1 ; 0 0 1 1\n#\n";

#[test]
fn bini_texts_are_read() {
    let schemes = read(BINI, "x").unwrap();
    assert_eq!(exact(&schemes[0]), (true, "<2,2,2>".into()));
    let wrong = read(&BINI.replace("0 0 1 -1 ;", "0 0 1 1 ;"), "x").unwrap();
    assert!(!exact(&wrong[0]).0);
    for (from, to, expected) in [
        ("2 2 2 7", "2 2 7", "Bini n m p R"),
        ("2 2 2 7", "2 2 2 8", "after 7 of 8"),
        ("2 2 2 7", "2 2 2 6", "q = 1 to 6"),
        ("2 2 2 7", "2 2 2 9999999999", "Bini n m p R"),
        ("3 ; 0 1 0 1", "4 ; 0 1 0 1", "q ; gamma"),
        ("-1 0 1 0\n5", "-1 0 1\n5", "4 entries of beta, found 3"),
        ("; 0 0 1 1\n#", "; 0 0 z 1\n#", "line 11"),
    ] {
        let message = read(&BINI.replacen(from, to, 1), "x").unwrap_err();
        assert!(message.contains(expected), "{to}: {message}");
    }
}

/// `(a1 + a2) b1` and `(a1 + a2) b2`, the sums of A and of the products taken out: `c1 = p1 + p2`, `c2 = p1 + p2 + p3`.
const ELIMINATED: &str = "# made up\n0 0 1\n0 0 0\n1 1 0\n#\n1 0 0\n0 1 1\n#\n0 0 0 1\n0 0 1 1\n\
    # Substitution information\n1 1\n#\n\n#\n1 1 0\n";

#[test]
fn tables_with_common_sums_taken_out_are_multiplied_out() {
    let found = read(ELIMINATED, "x").unwrap().remove(0);
    let plain = read("1 1 1\n1 1 0\n#\n1 0 0\n0 1 1\n#\n1 1 0\n1 1 1\n", "x").unwrap();
    assert_eq!(found.factors, plain[0].factors);
    for (from, to, expected) in [
        ("1 1\n#\n\n", "1 1 1\n#\n\n", "expected one for each"),
        ("#\n1 1 0\n", "#\n1 1\n", "expected one for each"),
        ("#\n1 1 0\n", "#\n", "W is about 4 products"),
        ("0 0 1 1\n#", "0 0 1\n#", "the rows of W"),
        ("#\n1 1 0\n", "#\n1 1 0\n#\n1\n", "three lists"),
        ("0 0 1 1\n#", "0 0 1 z\n#", "line 10"),
        ("1 0 0\n0 1 1\n", "1 0\n0 1\n", "a column for each product"),
    ] {
        let message = read(&ELIMINATED.replacen(from, to, 1), "x").unwrap_err();
        assert!(message.contains(expected), "{to}: {message}");
    }
}

#[test]
fn a_comment_may_name_the_ring_of_two_elements() {
    for (comment, two) in [
        ("# found by hand, mod 2", true),
        ("#mod2", true),
        ("# over GF(2) alone", true),
        ("# over F_2", true),
        ("# over GF2", true),
        ("# modulo 2", true),
        ("# mod 23", false),
        ("# a model of 2 matrices", false),
    ] {
        let text = BINI.replacen("# made up", comment, 1);
        // Right modulo 2, and wrong over Z.
        let text = text.replacen("0 0 1 -1", "0 0 1 1", 1);
        let scheme = read(&text, "x").unwrap().remove(0);
        assert_eq!(
            (scheme.modulo_two, exact(&scheme).0),
            (two, two),
            "{comment}"
        );
    }
}

#[test]
fn brackets_around_products_and_checks_behind_programs_are_nothing() {
    let text = "(-a11(b11)(-c11))\n((a12)*(b21)*c11)\n";
    assert_eq!(
        exact(&read(text, "x").unwrap()[0]),
        (true, "<1,2,1>".into())
    );
    let inner = "((a11*b11))*c11\n-2*(3*(a12*(-b21/3)))c11/2\n";
    assert_eq!(
        exact(&read(inner, "x").unwrap()[0]),
        (true, "<1,2,1>".into())
    );
    let program = "P1 := a11*b11;\nP2 := a12*b21;\nc11 := P1 + P2;\n\
                   Simplify(c11 - (a11*b11 + a12*b21));\n";
    assert_eq!(
        exact(&read(program, "x").unwrap()[0]),
        (true, "<1,2,1>".into())
    );
}
