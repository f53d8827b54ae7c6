//! The demo in a browser: app servers that share a cache, signed in at an OpenID provider, and a page to watch a sign-out on.

mod api;
mod cookies;
mod events;
mod fleet;
mod late_answers;
mod near_cache;
mod notice;
mod options;
mod page;
mod plain_app;
mod provider;
mod public_url;
mod routes;
mod server;
mod shared;
mod sign_in;
mod signed_in;
mod timeline;

pub use self::{fleet::Web, options::ServeOptions};
pub(crate) use self::{fleet::serve_until_ctrl_c, options::ServeArgs};
