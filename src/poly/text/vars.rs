//! Names of variables, for reading and writing polynomials.

/// An ordered list of variable names; variable `i` of a polynomial is called `names()[i]`.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational, Vars};
/// let mut vars = Vars::new();
/// Poly::<Rational>::parse("b + a", &mut vars)?;
/// assert_eq!(vars.names(), ["b", "a"]);
/// assert!(Poly::<Rational>::parse("c", &mut Vars::fixed(["a", "b"])).is_err());
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vars {
    names: Vec<String>,
    fixed: bool,
}

impl Vars {
    /// An empty list that grows as new names are read.
    pub fn new() -> Self {
        Self::default()
    }

    /// A fixed list: reading an unknown name is an error.
    pub fn fixed<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        Self { names, fixed: true }
    }

    /// The names, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The index of `name`, added at the end if the list may grow.
    pub fn index(&mut self, name: &str) -> Option<usize> {
        if let Some(i) = self.names.iter().position(|n| n == name) {
            return Some(i);
        }
        if self.fixed {
            return None;
        }
        self.names.push(name.to_owned());
        Some(self.names.len() - 1)
    }

    /// The name of variable `index`; `x{index}` beyond the list.
    pub fn name(&self, index: usize) -> String {
        match self.names.get(index) {
            Some(name) => name.clone(),
            None => format!("x{index}"),
        }
    }
}
