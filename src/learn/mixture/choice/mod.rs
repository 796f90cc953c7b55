//! Which method learns the law of a sample: a contest on rows that were held out, and the winner on all rows.

pub(crate) mod contest;
pub(crate) mod held_rows;
pub(crate) mod learner;
