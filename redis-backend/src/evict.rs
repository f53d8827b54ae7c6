use token_cache_core::{AccountKey, CutoffBound, CutoffClock, CutoffTime, EvictTarget, Timestamp};

use crate::{
    client::Call,
    keys::{Key, Keys, millis},
    scripts,
};

pub(crate) const EVICT: &str = "sign out an account";

/// Returns the call that evicts, without the lifetime of not-before times and the time. With a registry, the script also publishes it.
pub(crate) fn evict_call(
    keys: &Keys,
    account: &AccountKey,
    target: EvictTarget,
    registry: Option<Key>,
) -> Call {
    let whole = matches!(target, EvictTarget::Account(_));
    let script = match (whole, registry.is_some()) {
        (true, false) => &scripts::EVICT_ACCOUNT,
        (true, true) => &scripts::EVICT_ACCOUNT_PUBLISHED,
        (false, false) => &scripts::EVICT_SOME,
        (false, true) => &scripts::EVICT_SOME_PUBLISHED,
    };
    let mut keys = vec![keys.account(account), keys.not_before(account)];
    keys.extend(registry);
    let call = Call::script_on(script, keys);
    let some = |call: Call, kind: &[u8], name: &[u8; 16], at: Timestamp| {
        call.bytes(kind).bytes(name).number(millis(at))
    };
    match target {
        EvictTarget::Account(CutoffTime { clock, at }) => {
            call.bytes(letter(clock)).number(millis(at))
        }
        EvictTarget::Session(session_id) => {
            some(call, b"e", session_id.as_bytes(), Timestamp::default())
        }
        EvictTarget::Sid { sid, bound } => match bound {
            CutoffBound::Forever => some(call, b"g", sid.as_bytes(), Timestamp::default()),
            CutoffBound::Time(cutoff) => {
                some(call, letter(cutoff.clock), sid.as_bytes(), cutoff.at)
            }
        },
        EvictTarget::SidOrWithoutSid {
            sid,
            without_sid_until,
        } => some(call, b"u", sid.as_bytes(), without_sid_until),
    }
}

fn letter(clock: CutoffClock) -> &'static [u8] {
    match clock {
        CutoffClock::Store => b"s",
        CutoffClock::Provider => b"p",
    }
}
