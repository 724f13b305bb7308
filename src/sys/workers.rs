//! Runs the same work in several threads.

use std::thread;

use crate::error::Error;

/// More threads than this only wait for each other in the file system.
const THREADS: usize = 4;

/// Runs `work` in this thread and in others, at most `parts` in all. `work` takes parts until none is left.
///
/// # Errors
///
/// The first of those that `work` returns.
pub(crate) fn share(
    parts: usize,
    work: impl Fn() -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let threads = match thread::available_parallelism().map_or(1, usize::from) {
        1 => 1,
        // One more than there are cores: some thread always waits for a folder's lock.
        cores => (cores + 1).min(THREADS).min(parts),
    };
    thread::scope(|scope| {
        // If a thread cannot be started the others do its work.
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, &work).ok();
        let others: Vec<_> = (1..threads).filter_map(spawn).collect();
        let mut result = work();
        for other in others {
            result = result.and(
                other
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            );
        }
        result
    })
}
