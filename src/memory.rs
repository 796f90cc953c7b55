//! Memory that is used again instead of being given back and fetched anew.

use std::hint::black_box;
use std::sync::Once;

/// The largest block whose release still teaches the allocator (32 MiB, less its header).
const LESSON: usize = (32 << 20) - (1 << 16);

/// Lets the C library keep freed memory for the next use, once per process; free of charge when called again.
///
/// glibc fetches blocks above 128 KiB from the system and gives them back at once, so that a result of a megabyte costs
/// hundreds of page faults each time it is formed: often more than the arithmetic. It learns from what is freed: after the
/// release of a block of 32 MiB, smaller ones come from memory that stays, up to twice that size. The block is never
/// touched, so it takes no memory. Other allocators are indifferent to it.
///
/// # Complexity
/// One allocation, the first time.
pub fn keep_freed_pages() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(black_box(Vec::<u8>::with_capacity(LESSON))));
}
