use token_cache_core::{AccountKey, Clock, Cut, Moment, Timestamp, Until};

use crate::{
    client::Call,
    keys::{Key, Keys, millis},
    scripts,
};

pub(crate) const EVICT: &str = "sign out an account";

/// The script of a cut and what it needs to know, but for the life of markers and the time; with a registry it announces.
pub(crate) fn cut(keys: &Keys, account: &AccountKey, cut: Cut, registry: Option<Key>) -> Call {
    let whole = matches!(cut, Cut::Account(_));
    let script = match (whole, registry.is_some()) {
        (true, false) => &scripts::CUT_ACCOUNT,
        (true, true) => &scripts::CUT_ACCOUNT_ANNOUNCED,
        (false, false) => &scripts::CUT_SOME,
        (false, true) => &scripts::CUT_SOME_ANNOUNCED,
    };
    let mut keys = vec![keys.account(account), keys.marker(account)];
    keys.extend(registry);
    let call = Call::script_on(script, keys);
    let some = |call: Call, kind: &[u8], name: &[u8; 16], at: Timestamp| {
        call.bytes(kind).bytes(name).number(millis(at))
    };
    match cut {
        Cut::Account(Moment { clock, at }) => call.bytes(letter(clock)).number(millis(at)),
        Cut::Session(session_id) => some(call, b"e", session_id.as_bytes(), Timestamp::default()),
        Cut::ProviderSession { sid, until } => match until {
            Until::ForGood => some(call, b"g", sid.as_bytes(), Timestamp::default()),
            Until::Moment(moment) => some(call, letter(moment.clock), sid.as_bytes(), moment.at),
        },
        Cut::ProviderSessionOrUnlabelled {
            sid,
            unlabelled_until,
        } => some(call, b"u", sid.as_bytes(), unlabelled_until),
    }
}

fn letter(clock: Clock) -> &'static [u8] {
    match clock {
        Clock::Store => b"s",
        Clock::Provider => b"p",
    }
}
