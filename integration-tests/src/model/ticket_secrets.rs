//! The ticket secrets of a run. Core mints them. Every replay gets them in the same order.

use std::sync::OnceLock;

use token_cache_core::TicketSecret;

const TICKET_SECRETS: usize = 128;

/// Returns the ticket secret of a number.
pub(super) fn ticket_secret(number: usize) -> TicketSecret {
    static MINTED: OnceLock<Vec<TicketSecret>> = OnceLock::new();
    let minted = MINTED.get_or_init(|| {
        #[expect(clippy::expect_used, reason = "without random bytes there is no model")]
        let mut ticket_secrets: Vec<TicketSecret> = (0..TICKET_SECRETS)
            .map(|_| TicketSecret::mint().expect("the machine has random bytes"))
            .collect();
        ticket_secrets.sort_by_key(TicketSecret::session_id);
        ticket_secrets
    });
    minted[number % TICKET_SECRETS].clone()
}
