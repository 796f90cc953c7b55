//! Rotation-invariant inputs: what a law of `|x|` means for moments of quadratic maps.

use crate::Error;

/// The law of the length of a rotation-invariant `x` in `R^r`, scaled so that `E x x' = I`.
///
/// With `m_2k = E |x|^(2k) / (r (r+2) .. (r+2k-2))` and `m_2 = 1`, raw moments of `z_a = x'Q_a x` with
/// `t_a = Tr Q_a`, `S_ab = Tr Q_aQ_b`, `T_abc = Tr Q_aQ_bQ_c` are `E z = t`, `E z_a z_b = m_4 (t_a t_b + 2 S_ab)` and
/// `E z_a z_b z_c = m_6 (t_a t_b t_c + 2 (S_ab t_c + S_ac t_b + S_bc t_a) + 8 T_abc)`.
///
/// # Example
/// ```
/// use wickring::learn::RadialInput;
/// // On the sphere |x|^2 = r: m_4 = r / (r + 2).
/// let moments = RadialInput::Sphere.moments(3)?;
/// assert!(moments.is_some_and(|(m4, _)| (m4 - 0.6).abs() < 1e-15));
/// # Ok::<(), wickring::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RadialInput {
    /// To be found from the samples, by `m_4 = r / ((r+2) t'M^+t)` with `M = E zz'`, and
    /// `E z (z'S^+z) = m_6 (r+2)(r+4) t`.
    Unknown,
    /// `|x|^2 = r`.
    Sphere,
    /// Uniform in the ball of radius `(r+2)^(1/2)`.
    Ball,
    /// Any other law, by `m_4` and `m_6`; both are 1 for the Gaussian.
    Moments(f64, f64),
}

impl RadialInput {
    /// `m_4` and `m_6` in `R^r`; `None` when they are to be found.
    ///
    /// # Errors
    /// `InvalidInput` when the moments given belong to no law: `E |x|^4 >= (E |x|^2)^2` and
    /// `E |x|^6 E |x|^2 >= (E |x|^4)^2`.
    pub fn moments(self, r: usize) -> Result<Option<(f64, f64)>, Error> {
        let r = r as f64;
        match self {
            Self::Unknown => Ok(None),
            Self::Sphere => Ok(Some((r / (r + 2.0), r * r / ((r + 2.0) * (r + 4.0))))),
            Self::Ball => {
                let four = (r + 2.0) / (r + 4.0);
                Ok(Some((four, four * (r + 2.0) / (r + 6.0))))
            }
            Self::Moments(four, six) => {
                let slack = 1.0 - 1e-9;
                let fourth = four * r * (r + 2.0);
                let sixth = six * r * (r + 2.0) * (r + 4.0);
                let valid = fourth >= slack * r * r && sixth * r >= slack * fourth * fourth;
                if valid && four.is_finite() && six.is_finite() {
                    return Ok(Some((four, six)));
                }
                let text = format!("m4 and m6 of a law in {r} dimensions, got {four} and {six}");
                Err(Error::invalid("RadialInput::moments", text))
            }
        }
    }

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Sphere => "sphere",
            Self::Ball => "ball",
            Self::Moments(..) => "moments",
        }
    }
}
