use url::Url;

use super::id_token::SessionIdToken;
use crate::{
    client::{ClientRegistration, IdTokenHint},
    tickets::random_state,
};

/// The maximum length of a `logout_hint`.
const MAX_LOGOUT_HINT: usize = 256;

/// A redirect of the browser to the provider's logout page (RP-Initiated Logout 1.0 section 2).
///
/// It uses GET. Providers also accept POST, but browsers send no `SameSite=Lax` cookie with a POST of another site, so
/// the provider would not find its own session. If the URL becomes too long, the ID token is omitted, and the provider
/// asks the user.
pub(crate) struct EndSessionRequest {
    pub(crate) url: Url,
    /// The `state` that the provider sends back, if it sends the browser back.
    pub(crate) state: Option<String>,
}

impl EndSessionRequest {
    /// Builds the redirect. All parameters come from settings, from stored tokens or are random, so the request cannot
    /// influence them.
    pub(crate) fn new(
        endpoint: &Url,
        client: &ClientRegistration,
        hint: Option<&SessionIdToken>,
    ) -> token_cache_core::Result<Self> {
        let state = match client.post_logout_redirect_uri {
            Some(_) => Some(random_state()?),
            None => None,
        };
        let url = |id_token_hint: Option<&str>, logout_hint: Option<&str>| {
            let mut url = endpoint.clone();
            let mut query = url.query_pairs_mut();
            let logout_hint = logout_hint.filter(|hint| hint.len() <= MAX_LOGOUT_HINT);
            for (name, value) in [
                ("id_token_hint", id_token_hint),
                ("logout_hint", logout_hint),
            ] {
                if let Some(value) = value {
                    query.append_pair(name, value);
                }
            }
            query.append_pair("client_id", &client.id);
            if let (Some(back), Some(state)) = (&client.post_logout_redirect_uri, &state) {
                query.append_pair("post_logout_redirect_uri", back);
                query.append_pair("state", state);
            }
            drop(query);
            url
        };
        let login_hint = hint.and_then(SessionIdToken::login_hint);
        let with_hint = hint
            .filter(|_| client.id_token_hint == IdTokenHint::Send)
            .map(|hint| url(Some(&hint.text), login_hint))
            .filter(|url| url.as_str().len() <= client.max_logout_url_len);
        let url = with_hint.unwrap_or_else(|| {
            // The provider finds the client by its id, and the session by the hint or by asking the user.
            url(None, login_hint.or(hint.and_then(SessionIdToken::sid)))
        });
        Ok(Self { url, state })
    }
}
