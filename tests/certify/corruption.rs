//! Damage to certificates: every place replaced by what machine numbers do not bear, in one place or in two. The table is the
//! certificate itself, so a field that is new is damaged like the others.

#![allow(clippy::unwrap_used)] // helpers of tests

use crate::certificates::places;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

/// Numbers at which machine integers and floats end, and their neighbours, as JSON has them.
fn boundaries() -> Vec<String> {
    let mut found = Vec::new();
    for power in [0, 1, 7, 8, 15, 16, 17, 31, 32, 53, 62, 63, 64, 65, 126] {
        for step in -1..=1 {
            let n = (1i128 << power) + step;
            found.extend([n.to_string(), (-n).to_string()]);
        }
    }
    for n in [u128::MAX - 1, u128::MAX, 1 << 127] {
        found.extend([n.to_string(), format!("-{n}"), format!("{n}0")]);
    }
    found.extend(
        [
            "-0",
            "0.5",
            "1.0",
            "-1e0",
            "1e308",
            "1e400",
            "1e-400",
            "9007199254740993.0",
            "1.",
            "1e",
            "1e+",
            "01",
            ".5",
            "-",
        ]
        .map(String::from),
    );
    for text in [
        "0",
        "1",
        "-1",
        "2/4",
        "1/2",
        "-1/3",
        "1/0",
        "0/5",
        "+1",
        "1.0",
        "",
        "-",
        "1/-2",
        "x",
        "18446744073709551616",
    ] {
        found.push(json!(text).to_string());
    }
    found.extend(
        [
            "null",
            "true",
            "[]",
            "{}",
            "[[0,1]]",
            "[[0,1],[0,-1]]",
            "[[2,1]]",
            "[[-9223372036854775808,1]]",
        ]
        .map(String::from),
    );
    found.sort();
    found.dedup();
    found
}

/// A tree with raw JSON at a place.
fn with(whole: &Value, place: &str, raw: &str) -> String {
    let mut copy = whole.clone();
    *copy.pointer_mut(place).unwrap() = json!("@here@");
    copy.to_string().replacen("\"@here@\"", raw, 1)
}

/// The number at a place moved by amounts that arithmetic of some width does not see.
fn moved(number: &Value) -> Vec<String> {
    let text = number.as_str().map_or(number.to_string(), str::to_owned);
    let Ok(n) = text.parse::<i128>() else {
        // The neighbours of a float: arithmetic that rounds otherwise misses them.
        let x = number.as_f64().filter(|x| x.is_finite());
        let near = |x: f64| [x.next_up(), x.next_down(), x / 2.0, x * 2.0, -x];
        return x.map_or(Vec::new(), |x| {
            near(x).iter().map(|x| format!("{x:e}")).collect()
        });
    };
    let steps = [
        1,
        -1,
        2,
        4,
        8,
        16,
        -4,
        -8,
        -16,
        1 << 32,
        1 << 53,
        1 << 63,
        1 << 64,
        -(1 << 64),
    ];
    let moved = steps.iter().map(|s| (n + s).to_string());
    moved
        .chain([
            (-n).to_string(),
            format!("\"{}/3\"", 3 * n),
            format!("\"{n}/2\""),
        ])
        .collect()
}

/// Every corruption of every place of a certificate.
pub(crate) fn corruptions(whole: &Value) -> Vec<String> {
    let (mut all, mut found) = (Vec::new(), vec![whole.to_string()]);
    places(whole, String::new(), &mut all);
    let boundaries = boundaries();
    for place in all {
        let old = whole.pointer(&place).unwrap();
        let mut raws = moved(old);
        match old {
            Value::Array(items) => {
                for k in 0..items.len().min(3) {
                    let mut shorter = items.clone();
                    let item = shorter.remove(k);
                    raws.push(Value::from(shorter.clone()).to_string());
                    shorter.insert(0, item.clone());
                    shorter.push(item);
                    raws.push(Value::from(shorter).to_string());
                }
                raws.push(json!([old]).to_string());
            }
            Value::Object(map) => {
                let text = old.to_string();
                for (key, value) in map {
                    raws.push(text.replacen('{', &format!("{{\"{key}\":{value},"), 1));
                    raws.push(text.replacen('{', &format!("{{\"{key}\":null,"), 1));
                    let mut fewer = map.clone();
                    fewer.remove(key);
                    raws.push(Value::from(fewer).to_string());
                }
                raws.push(text.replacen('{', "{\"more\":0,", 1));
            }
            _ => raws.extend(boundaries.iter().cloned()),
        }
        found.extend(raws.iter().map(|raw| with(whole, &place, raw)));
    }
    found
}

/// Corruption in two places, chosen by a generator.
pub(crate) struct Twice<'a> {
    base: &'a Value,
    places: Vec<String>,
    once: &'a [String],
    boundaries: Vec<String>,
}

impl<'a> Twice<'a> {
    /// Of a certificate and its single corruptions.
    pub(crate) fn of(base: &'a Value, once: &'a [String]) -> Self {
        let mut places_of = Vec::new();
        places(base, String::new(), &mut places_of);
        Self {
            base,
            places: places_of,
            once,
            boundaries: boundaries(),
        }
    }

    pub(crate) fn draw(&self, rng: &mut ChaCha8Rng) -> String {
        loop {
            let first = &self.once[rng.random_range(0..self.once.len())];
            // What repeats a field has no second place.
            let Ok(whole) = serde_json::from_str::<Value>(first) else {
                return first.clone();
            };
            let mut any = || &self.places[rng.random_range(0..self.places.len())];
            let (place, other) = (any(), any());
            let Some(old) = whole.pointer(place).filter(|_| !place.is_empty()) else {
                continue;
            };
            let near = moved(old);
            let raw = match rng.random_range(0..3) {
                0 if !near.is_empty() => near[rng.random_range(0..near.len())].clone(),
                1 => self.boundaries[rng.random_range(0..self.boundaries.len())].clone(),
                // Numbers from elsewhere in it are nearer to what could be true.
                _ => self.base.pointer(other).unwrap().to_string(),
            };
            return with(&whole, place, &raw);
        }
    }
}
