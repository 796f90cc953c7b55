//! The nearest column that is nonnegative and unimodal, in linear time.
//!
//! A column is unimodal when a head of it does not fall and the rest does not rise. For every length of the head the best
//! rising head and the best falling rest come from pooling adjacent violators; the pools of all heads are made in one pass,
//! since a longer head only changes pools at its end, and with them the sums of squares. Clipping pools at zero gives the best
//! nonnegative ones.
//!
//! Source: Stout 2008, Unimodal regression via prefix isotonic regression; Bro and Sidiropoulos 1998 (use in CP).

/// Neighbours that take one value.
#[derive(Clone, Copy)]
struct Pool {
    sum: f64,
    count: usize,
    /// What the pools up to this one lose of the sum of squares: `-sum_pools (2 v sum - v^2 count)`.
    loss: f64,
}

impl Pool {
    fn mean(self) -> f64 {
        self.sum / self.count as f64
    }

    /// Its value where nothing may be negative.
    fn value(self) -> f64 {
        self.mean().max(0.0)
    }
}

/// Pools of the rising fit to `z`, in order, after every entry handing the loss so far to `seen`.
fn pools(z: impl Iterator<Item = f64>, mut seen: impl FnMut(f64)) -> Vec<Pool> {
    let mut stack: Vec<Pool> = Vec::new();
    for x in z {
        let mut new = Pool {
            sum: x,
            count: 1,
            loss: 0.0,
        };
        while let Some(&last) = stack.last().filter(|last| last.mean() >= new.mean()) {
            stack.pop();
            new.sum += last.sum;
            new.count += last.count;
        }
        let before = stack.last().map_or(0.0, |p| p.loss);
        let v = new.value();
        new.loss = before + v * (v * new.count as f64 - 2.0 * new.sum);
        stack.push(new);
        seen(new.loss);
    }
    stack
}

fn spread(pools: &[Pool]) -> impl Iterator<Item = f64> + '_ {
    let values = pools.iter().map(|p| (p.value(), p.count));
    values.flat_map(|(v, n)| std::iter::repeat_n(v, n))
}

/// Replaces `z` by the nearest nonnegative column that rises to one peak and falls after it.
pub(super) fn project(z: &mut [f64]) {
    let n = z.len();
    let (mut heads, mut tails) = (vec![0.0], vec![0.0]);
    pools(z.iter().copied(), |loss| heads.push(loss));
    pools(z.iter().rev().copied(), |loss| tails.push(loss));
    let total = |k: &usize| heads[*k] + tails[n - *k];
    let cut = (0..=n)
        .min_by(|a, b| total(a).total_cmp(&total(b)))
        .unwrap_or(n);
    let head = pools(z[..cut].iter().copied(), |_| {});
    let tail = pools(z[cut..].iter().rev().copied(), |_| {});
    let rising: Vec<f64> = spread(&head).collect();
    let falling: Vec<f64> = spread(&tail).collect();
    let all = rising.into_iter().chain(falling.into_iter().rev());
    z.iter_mut().zip(all).for_each(|(x, v)| *x = v);
}

/// How far `z` is from unimodal: the most that it falls before or rises after its peak, or is negative.
pub(super) fn violation(z: &[f64]) -> f64 {
    let peak = (0..z.len())
        .max_by(|&a, &b| z[a].total_cmp(&z[b]))
        .unwrap_or(0);
    let steps = z.windows(2).enumerate();
    let against = steps.map(|(i, w)| if i < peak { w[0] - w[1] } else { w[1] - w[0] });
    let negative = z.iter().map(|x| -x);
    against.chain(negative).fold(0.0, f64::max)
}
