//! The demo in a browser: app servers that share a cache, signed in at an OpenID provider, and a page to watch a sign-out on.

mod caches;
mod callback;
mod cookies;
mod events;
mod fleet;
mod late_answers;
mod listeners;
mod login;
mod me;
mod near_cache;
mod notice;
mod options;
mod page;
mod plain_app;
mod profile;
mod provider;
mod public_url;
mod random;
mod routes;
mod serve;
mod server;
mod siblings;
mod signed_in;
mod slow_refresh;
mod source;
mod timeline;
mod watched;

pub use self::{fleet::Web, options::ServeOptions};
pub(crate) use self::{options::Given, serve::serve};
