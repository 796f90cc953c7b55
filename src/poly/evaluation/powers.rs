//! The powers of variables that a program needs, and how they are multiplied up.

use std::collections::{BTreeSet, HashMap};

/// A power of a variable, in the list of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Power {
    pub(crate) variable: u32,
    pub(crate) exponent: u32,
    /// Two earlier ones whose product it is, when the exponent is more than one.
    pub(crate) factors: [u32; 2],
}

/// The powers a program asks for, each once.
#[derive(Default)]
pub(crate) struct Powers {
    asked: BTreeSet<(u32, u32)>,
}

impl Powers {
    /// Asks for a power, `exponent >= 1`.
    pub(crate) fn ask(&mut self, variable: u32, exponent: u32) {
        self.asked.insert((variable, exponent));
    }

    /// The list, every power after its factors, and the place of each. A power is the product of those of half
    /// its exponent, so that `log2` of the exponent are added and no product has more than that many factors behind it.
    pub(crate) fn list(mut self) -> (Vec<Power>, HashMap<(u32, u32), u32>) {
        let mut open: Vec<(u32, u32)> = self.asked.iter().copied().collect();
        while let Some((v, e)) = open.pop() {
            for half in [e / 2, e - e / 2] {
                if half > 0 && self.asked.insert((v, half)) {
                    open.push((v, half));
                }
            }
        }
        let place: HashMap<_, _> = (self.asked.iter().copied()).zip(0u32..).collect();
        let power = |&(variable, exponent): &(u32, u32)| {
            let at = |e| place.get(&(variable, e)).copied().unwrap_or(0);
            Power {
                variable,
                exponent,
                factors: [at(exponent / 2), at(exponent - exponent / 2)],
            }
        };
        (self.asked.iter().map(power).collect(), place)
    }
}
