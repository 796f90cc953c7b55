//! Is this really a matrix multiplication algorithm? `cargo run --release --example verify_scheme`.

use wickring::scheme::{SchemeField, SchemeFormat, Verdict, examine, read_schemes};

/// Strassen's seven products.
const STRASSEN: &str = "
(a11+a22)*(b11+b22)*(c11+c22)
(a21+a22)*(b11)*(c21-c22)
(a11)*(b12-b22)*(c12+c22)
(a22)*(b21-b11)*(c11+c21)
(a11+a12)*(b22)*(c12-c11)
(a21-a11)*(b11+b12)*(c22)
(a12-a22)*(b21+b22)*(c11)
";

fn main() -> Result<(), wickring::Error> {
    for (text, exact) in [
        (STRASSEN.to_owned(), true),
        (STRASSEN.replacen("b12-b22", "b12+b22", 1), false),
    ] {
        let scheme = read_schemes(&text, SchemeFormat::Products, "strassen")?.remove(0);
        let found = examine(&scheme, None, SchemeField::Auto)?;
        assert_eq!(found.verdict == Verdict::Exact, exact);
    }
    Ok(())
}
