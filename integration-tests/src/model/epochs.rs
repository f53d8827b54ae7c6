//! The epochs of a run: minted by core, and handed out in the same order in every replay.

use std::sync::OnceLock;

use token_cache_core::Epoch;

const EPOCHS: usize = 128;

/// The epoch of a number.
pub(super) fn epoch(number: usize) -> Epoch {
    static MINTED: OnceLock<Vec<Epoch>> = OnceLock::new();
    let minted = MINTED.get_or_init(|| {
        #[expect(clippy::expect_used, reason = "without random bytes there is no model")]
        let mut epochs: Vec<Epoch> = (0..EPOCHS)
            .map(|_| Epoch::mint().expect("the machine has random bytes"))
            .collect();
        epochs.sort_by_key(Epoch::hash);
        epochs
    });
    minted[number % EPOCHS].clone()
}
