//! Work shared out among threads where the crate has them (feature `parallel`), one piece after the other where not.
//!
//! Results come in the order of the jobs, so that they do not depend on the number of threads.

/// Threads that [`map`] shares work out to.
pub(crate) fn threads() -> usize {
    #[cfg(feature = "parallel")]
    let threads = rayon::current_num_threads();
    #[cfg(not(feature = "parallel"))]
    let threads = 1;
    threads
}

/// `work` of every job, in the order of the jobs.
pub(crate) fn map<I: Send, O: Send>(jobs: Vec<I>, work: impl Fn(I) -> O + Sync + Send) -> Vec<O> {
    #[cfg(feature = "parallel")]
    let done = {
        use rayon::prelude::*;
        jobs.into_par_iter().map(work).collect()
    };
    #[cfg(not(feature = "parallel"))]
    let done = jobs.into_iter().map(work).collect();
    done
}

/// Both pieces of work, at the same time where there are threads and `shared` says that it is worth it.
pub(crate) fn join(shared: bool, one: impl FnOnce() + Send, two: impl FnOnce() + Send) {
    #[cfg(feature = "parallel")]
    if shared && rayon::current_num_threads() > 1 {
        rayon::join(one, two);
        return;
    }
    let _ = shared;
    one();
    two();
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
