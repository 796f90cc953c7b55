//! Homogeneous polynomials and symmetric tensors: two views of one object.

use crate::Error;
use crate::poly::{Poly, Ring};
use crate::tensor::dense::Tensor;

/// The symmetric tensor `T` of order `order` in `dim` dimensions with `T(x, .., x) = form(x)`: the entry at an index with
/// multiplicities `a` is `c_a a! / order!`.
///
/// # Errors
/// `InvalidInput` when a term of the form has another degree or the ring cannot divide by a multinomial coefficient; `Shape` when the
/// form has more variables than `dim`; `Overflow` when `dim^order` is too large.
///
/// # Complexity
/// `O(dim^order * order)` time, `dim^order` entries.
///
/// # Example
/// ```
/// use wickring::poly::{Poly, Rational, Vars};
/// use wickring::tensor::{form_to_tensor, tensor_to_form};
/// let p = Poly::<Rational>::parse("x^2*y", &mut Vars::new())?;
/// let t = form_to_tensor(&p, 3, 2)?;
/// assert_eq!(t.view().get(&[0, 1, 0]), Some(&Rational::new(1, 3).unwrap()));
/// assert_eq!(tensor_to_form(&t)?, p);
/// # Ok::<(), wickring::Error>(())
/// ```
pub fn form_to_tensor<C: Ring>(
    form: &Poly<C>,
    order: usize,
    dim: usize,
) -> Result<Tensor<C>, Error> {
    let op = "form_to_tensor";
    if form.nvars() > dim {
        return Err(Error::shape(
            op,
            format!("at most {dim} variables"),
            form.nvars().to_string(),
        ));
    }
    if form
        .iter()
        .any(|(e, _)| e.iter().map(|&k| k as usize).sum::<usize>() != order)
    {
        return Err(Error::invalid(
            op,
            format!("needs a form of degree {order}: every term of that degree"),
        ));
    }
    if dim.checked_pow(order as u32).is_none_or(|n| n > 1 << 28) {
        return Err(Error::Overflow {
            op,
            what: "number of entries",
        });
    }
    // Each coefficient is divided once; the entries are copies.
    let mut shares = std::collections::BTreeMap::new();
    for (mut e, c) in form.iter() {
        e.resize(dim, 0);
        let count = multinomial::<C>(&e);
        let no = || {
            Error::invalid(
                op,
                format!("the ring cannot divide {c:?} by {count:?}; use rationals"),
            )
        };
        shares.insert(e.clone(), c.checked_div(&count).ok_or_else(no)?);
    }
    Tensor::from_fn(&vec![dim; order], |index| {
        let mut e = vec![0u32; dim];
        index.iter().for_each(|&i| e[i] += 1);
        shares.get(&e).cloned().unwrap_or_else(C::zero)
    })
}

/// The form `T(x, .., x)` of any tensor with equal dimensions; for a symmetric one the inverse of [`form_to_tensor`].
///
/// # Errors
/// `Shape` when the dimensions differ.
pub fn tensor_to_form<C: Ring>(tensor: &Tensor<C>) -> Result<Poly<C>, Error> {
    let dims = tensor.dims();
    let dim = dims.first().copied().unwrap_or(0);
    if dims.iter().any(|&n| n != dim) {
        return Err(Error::shape(
            "tensor_to_form",
            "equal dimensions",
            format!("{dims:?}"),
        ));
    }
    let mut index = vec![0usize; dims.len()];
    let mut terms = Vec::new();
    for value in tensor.as_slice() {
        let mut e = vec![0u32; dim];
        index.iter().for_each(|&i| e[i] += 1);
        terms.push((e, value.clone()));
        for i in &mut index {
            *i += 1;
            if *i < dim {
                break;
            }
            *i = 0;
        }
    }
    Ok(Poly::from_terms(terms))
}

/// `|a|! / a!` in the ring, as a product of binomial coefficients built by additions only: no division, no overflow.
fn multinomial<C: Ring>(exponents: &[u32]) -> C {
    let mut total = 0usize;
    let mut product = C::one();
    for &k in exponents {
        total += k as usize;
        let mut row = vec![C::one()];
        for _ in 0..total {
            let inner = row.windows(2).map(|p| p[0].clone() + p[1].clone());
            row = std::iter::once(C::one())
                .chain(inner)
                .chain([C::one()])
                .collect();
        }
        product *= &row[k as usize];
    }
    product
}
