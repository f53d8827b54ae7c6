//! Stores that never answer.

use crate::fault::fault;

/// Never answers a read.
#[derive(Default)]
pub(crate) struct NeverAnswers;

fault! {
    impl NeverAnswers {
        read(self, _, _, _) {
            std::future::pending().await
        }
    }
}

/// Blocks its thread in a read, for longer than any test runs.
#[derive(Default)]
pub(crate) struct BlocksItsThread;

fault! {
    impl BlocksItsThread {
        read(self, _, _, _) {
            loop {
                std::thread::park();
            }
        }
    }
}
