//! Greatest common divisors of polynomials in several variables modulo one prime, by evaluation of the last
//! variable and interpolation.

use super::ground::Ground;
use crate::Error;
use crate::poly::polynomial::univariate::Dense;
use std::collections::BTreeMap;

/// Exponents to nonzero residues.
pub(crate) type Image = BTreeMap<Vec<u32>, u64>;
/// The same with polynomials in the last variable as coefficients.
type Columns = BTreeMap<Vec<u32>, Dense>;

/// The divisor with leading coefficient one, in the order of the keys; `check` is asked between images. When both are
/// multiples of the answer it is certain: luckless points only give greater ones.
///
/// # Errors
/// `LimitExceeded` when the field has too few points, and what `check` says.
pub(crate) fn image_gcd<G: Ground>(
    field: &G,
    a: &Image,
    b: &Image,
    nvars: usize,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Image, Error> {
    let (x, y) = (columns(field, a), columns(field, b));
    let (content_x, x) = primitive(field, x);
    let (content_y, y) = primitive(field, y);
    let content = field.gcd(&content_x, &content_y);
    let common = match nvars {
        1 => Columns::from([(Vec::new(), vec![1])]),
        _ => interpolate(field, &x, &y, nvars, check)?,
    };
    let (_, common) = primitive(field, common);
    let mut found = Image::new();
    for (key, f) in &common {
        for (k, &c) in field.product(f, &content).iter().enumerate() {
            if c != 0 {
                let mut e = key.clone();
                e.push(k as u32);
                found.insert(e, c);
            }
        }
    }
    let unit = found.last_key_value().map_or(1, |(_, &c)| field.inv(c));
    for c in found.values_mut() {
        *c = field.mul(*c, unit);
    }
    Ok(found)
}

fn columns<G: Ground>(field: &G, image: &Image) -> Columns {
    let mut all = Columns::new();
    for (e, &c) in image {
        let Some((&k, key)) = e.split_last() else {
            continue;
        };
        let column = all.entry(key.to_vec()).or_default();
        column.resize(column.len().max(k as usize + 1), 0);
        column[k as usize] = c;
    }
    for column in all.values_mut() {
        *column = field.trim(std::mem::take(column));
    }
    all
}

/// The common divisor of all columns, and the columns divided by it.
fn primitive<G: Ground>(field: &G, mut all: Columns) -> (Dense, Columns) {
    let mut content = Dense::new();
    for f in all.values() {
        content = field.gcd(&content, f);
        if content.len() == 1 {
            return (content, all);
        }
    }
    for f in all.values_mut() {
        *f = field.divided(f, &content).0;
    }
    (content, all)
}

fn at<G: Ground>(field: &G, all: &Columns, x: u64) -> Image {
    let values = all.iter().map(|(e, f)| (e.clone(), field.value(f, x)));
    values.filter(|(_, c)| *c != 0).collect()
}

/// The divisor of two primitive lists of columns, up to a factor in the last variable.
fn interpolate<G: Ground>(
    field: &G,
    a: &Columns,
    b: &Columns,
    nvars: usize,
    check: &dyn Fn() -> Result<(), Error>,
) -> Result<Columns, Error> {
    let lead = |c: &Columns| c.last_key_value().map_or(Dense::new(), |(_, f)| f.clone());
    let degree = |c: &Columns| c.values().map(Vec::len).max().unwrap_or(0);
    // Interpolating gamma times the monic divisor: a multiple of the true leading coefficient.
    let gamma = field.gcd(&lead(a), &lead(b));
    let most = degree(a).min(degree(b)) + gamma.len();
    let one = Columns::from([(vec![0; nvars - 1], vec![1])]);
    let mut sum = Columns::new();
    let mut modulus: Dense = vec![1];
    let mut top: Option<Vec<u32>> = None;
    let (mut points, mut stable) = (0, 0);
    for x in 1..field.size() {
        let scale = field.value(&gamma, x);
        if scale == 0 {
            continue;
        }
        check()?;
        let image = image_gcd(field, &at(field, a, x), &at(field, b, x), nvars - 1, check)?;
        let own = image
            .last_key_value()
            .map(|(e, _)| e.clone())
            .unwrap_or_default();
        if own.iter().all(|&k| k == 0) {
            return Ok(one);
        }
        match &top {
            Some(t) if own > *t => continue,
            Some(t) if own == *t => {}
            _ => {
                // The first point, or proof that all points before were unlucky.
                top = Some(own);
                sum.clear();
                modulus = vec![1];
                (points, stable) = (0, 0);
            }
        }
        let inverse = field.inv(field.value(&modulus, x));
        let mut changed = false;
        let mut keys: Vec<Vec<u32>> = sum.keys().cloned().collect();
        keys.extend(image.keys().filter(|k| !sum.contains_key(*k)).cloned());
        for key in keys {
            let column = sum.entry(key.clone()).or_default();
            let wanted = field.mul(image.get(&key).copied().unwrap_or(0), scale);
            let step = field.sub(wanted, field.value(column, x));
            if step != 0 {
                changed = true;
                let step = field.mul(step, inverse);
                *column = field.sum(column, &field.scaled(&modulus, step));
            }
        }
        modulus = field.product(&modulus, &[field.sub(0, x), 1]);
        points += 1;
        stable = if changed { 0 } else { stable + 1 };
        // Two points that change nothing: the caller's exact division settles the rest.
        if points > most || stable == 2 {
            sum.retain(|_, f| !f.is_empty());
            return Ok(sum);
        }
    }
    Err(Error::limit(
        "Poly::gcd_mod",
        "points of the field",
        field.size(),
    ))
}
