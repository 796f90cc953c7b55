//! Work shared out among threads where the crate has them (feature `parallel`), one piece after the other where not.
//!
//! Results come in the order of the jobs, so that they do not depend on the number of threads.

use std::sync::Mutex;

/// Threads that [`map`] shares work out to.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "parallel")]
    let threads = rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    let threads = 1;
    threads
}

/// `work` of every job, in the order of the jobs.
///
/// Whatever jobs and results are, the compiler sees one parallel loop: an instance for each would be a sixth of the
/// code of the crate.
pub(crate) fn map<I: Send, O: Send>(jobs: Vec<I>, work: impl Fn(I) -> O + Sync + Send) -> Vec<O> {
    if jobs.len() < 2 || threads() < 2 {
        return jobs.into_iter().map(work).collect();
    }
    let slot = |job| Mutex::new((Some(job), None));
    let slots: Vec<Mutex<(Option<I>, Option<O>)>> = jobs.into_iter().map(slot).collect();
    each(slots.len(), &|k| {
        // A lock is poisoned by a panic alone, which ends the loop.
        if let Ok(mut slot) = slots[k].lock() {
            slot.1 = slot.0.take().map(&work);
        }
    });
    let done = slots.into_iter().filter_map(|slot| slot.into_inner().ok());
    done.filter_map(|slot| slot.1).collect()
}

/// `work` of `0..count`, shared out.
fn each(count: usize, work: &(dyn Fn(usize) + Sync)) {
    #[cfg(feature = "parallel")]
    {
        use rayon::prelude::*;
        (0..count).into_par_iter().for_each(work);
    }
    #[cfg(not(feature = "parallel"))]
    (0..count).for_each(work);
}

/// Both pieces of work, at the same time where there are threads and `shared` says that it is worth it.
pub(crate) fn join(shared: bool, one: impl FnOnce() + Send, two: impl FnOnce() + Send) {
    if !shared || threads() < 2 {
        one();
        two();
        return;
    }
    let (mut one, mut two) = (Some(one), Some(two));
    let mut first = || one.take().map_or((), |work| work());
    let mut second = || two.take().map_or((), |work| work());
    both(&mut first, &mut second);
}

fn both(one: &mut (dyn FnMut() + Send), two: &mut (dyn FnMut() + Send)) {
    #[cfg(feature = "parallel")]
    rayon::join(one, two);
    #[cfg(not(feature = "parallel"))]
    {
        one();
        two();
    }
}

#[cfg(test)]
mod tests {
    use super::{join, map, threads};

    #[test]
    fn joined_work_is_all_done() {
        for shared in [false, true] {
            let (mut a, mut b) = (0, 0);
            join(shared, || a = 1, || b = 2);
            assert_eq!((a, b), (1, 2));
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        assert!(threads() >= 1);
        let squares = map((0..1000u64).collect(), |i| i * i);
        assert!(
            squares
                .iter()
                .enumerate()
                .all(|(i, s)| *s == (i * i) as u64)
        );
    }
}
