//! Sign-in and sign-out as users see them: a real browser, the certified OpenID provider, and the servers of the demo or of the
//! tutorial's app on a real store.
mod at_the_certified_provider;
mod common;
mod front_channel;
mod near_cache;
mod page;
mod tutorial;
