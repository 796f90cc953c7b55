//! Tensors near the ends of the exponent range, brought to order one by a power of two.

use crate::Error;
use crate::fit::Fit;
use crate::tensor::{Scalar, SymmetricRing, Tensor, TensorRing, TensorView};

/// Greatest entries outside `2^-120 .. 2^120` are rescaled: inside, squares and products of a few norms of
/// tensors and cores stay normal numbers.
const SAFE: i32 = 120;

/// Runs `f` on the tensor times a power of two and gives the model the scale of `t` back, spread over the
/// cores so that none leaves the exponent range. Relative residuals are not changed by that, up to the
/// precision that subnormal entries have lost.
pub(in crate::decomp) fn in_scale<T: Scalar>(
    t: TensorView<'_, T>,
    f: impl FnOnce(TensorView<'_, T>) -> Result<Fit<TensorRing<T>>, Error>,
) -> Result<Fit<TensorRing<T>>, Error> {
    crate::memory::keep_freed_pages();
    let Some(power) = power(t) else { return f(t) };
    let scaled: Vec<T> = t.as_slice().iter().map(|&x| times(x, -power)).collect();
    let scaled = Tensor::from_vec(t.dims(), scaled)?;
    let fit = f(scaled.view())?;
    let model = with_power(&fit.model, power)?;
    Ok(fit.map(|_| model))
}

/// `p` such that the tensor divided by `8^p` is of order one, when it is outside the safe range: a symmetric
/// ring of order three then has cores divided by `2^p`, and its Gram matrix is divided by `4^p`.
pub(crate) fn cube_root_power(t: TensorView<'_>) -> Option<i32> {
    power(t).map(|p| p / 3)
}

/// The tensor divided by `8^p`.
///
/// # Errors
/// None for the shape of an existing tensor; the constructor's are passed on.
pub(crate) fn divided(t: TensorView<'_>, p: i32) -> Result<Tensor, Error> {
    let data = t.as_slice().iter().map(|&x| times(x, -3 * p)).collect();
    Tensor::from_vec(t.dims(), data)
}

/// The symmetric ring with its cores multiplied by `2^p`.
///
/// # Errors
/// `NonFinite` when a core overflows.
pub(crate) fn multiplied(ring: &SymmetricRing, p: i32) -> Result<SymmetricRing, Error> {
    let cores = ring.as_slice().iter().map(|&x| times(x, p)).collect();
    SymmetricRing::new(ring.rank(), cores)
}

/// The exponent of the greatest entry, when it is finite, not zero and outside the safe range.
pub(in crate::decomp) fn power<T: Scalar>(t: TensorView<'_, T>) -> Option<i32> {
    let mut greatest = 0.0f64;
    for x in t.as_slice() {
        let z = x.to_complex();
        if !x.finite() {
            return None;
        }
        greatest = greatest.max(z.re.abs()).max(z.im.abs());
    }
    let exponent = match greatest {
        0.0 => return None,
        x if x < f64::MIN_POSITIVE => (x * 2f64.powi(100)).log2().floor() as i32 - 100,
        x => x.log2().floor() as i32,
    };
    (exponent.abs() > SAFE).then_some(exponent)
}

/// `x 2^power` in steps that cannot overflow before the result does.
pub(crate) fn times<T: Scalar>(mut x: T, power: i32) -> T {
    let mut rest = power;
    while rest != 0 {
        let step = rest.clamp(-500, 500);
        x *= T::from_real(2f64.powi(step));
        rest -= step;
    }
    x
}

fn with_power<T: Scalar>(ring: &TensorRing<T>, power: i32) -> Result<TensorRing<T>, Error> {
    let m = ring.order() as i32;
    let mut cores = ring.balanced().into_cores();
    for (k, core) in cores.iter_mut().enumerate() {
        // Parts of nearly equal size whose sum is the power.
        let part = power / m + if k == 0 { power % m } else { 0 };
        core.as_mut_slice()
            .iter_mut()
            .for_each(|x| *x = times(*x, part));
    }
    TensorRing::new(cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_are_those_of_the_greatest_entry() -> Result<(), Error> {
        for (x, expected) in [
            (1.0, None),
            (0.0, None),
            (f64::NAN, None),
            (2f64.powi(-700), Some(-700)),
            (2f64.powi(800), Some(800)),
            (2f64.powi(-1070), Some(-1070)),
        ] {
            let t = Tensor::from_vec(&[1, 2], vec![x, 0.0])?;
            assert_eq!(power(t.view()), expected, "{x}");
        }
        assert_eq!(times(2f64.powi(-1070), 1070), 1.0);
        Ok(())
    }
}
