use url::Url;

use crate::{Client, id_token_hint::IdTokenHint, state_cookie::StateCookie};

/// What servers and proxies take of a request's first line, less room for what a browser adds.
const LONGEST: usize = 7 * 1024;

/// Where a browser is sent to sign out at the provider (RP-Initiated Logout 1.0 section 2).
pub(crate) struct EndSession {
    pub(crate) url: Url,
    /// What the provider is to send back, where it is to send the browser back at all.
    pub(crate) state: Option<String>,
}

impl EndSession {
    /// Every parameter is a setting, a token that the app put, or random: nothing in it is of the request's choosing.
    pub(crate) fn at(
        endpoint: &Url,
        client: &Client,
        hint: Option<&IdTokenHint>,
    ) -> token_cache_core::Result<Self> {
        let state = match client.post_logout_redirect_uri {
            Some(_) => Some(StateCookie::mint()?),
            None => None,
        };
        let url = |id_token: Option<&str>| {
            let mut url = endpoint.clone();
            let mut query = url.query_pairs_mut();
            if let Some(id_token) = id_token {
                query.append_pair("id_token_hint", id_token);
            }
            if let Some(hint) = hint.and_then(IdTokenHint::logout_hint) {
                query.append_pair("logout_hint", hint);
            }
            query.append_pair("client_id", &client.id);
            if let (Some(back), Some(state)) = (&client.post_logout_redirect_uri, &state) {
                query.append_pair("post_logout_redirect_uri", back);
                query.append_pair("state", state);
            }
            drop(query);
            url
        };
        let with_hint = url(hint.map(|hint| hint.text.as_str()));
        Ok(Self {
            url: if with_hint.as_str().len() > LONGEST {
                // The provider knows the client all the same, and asks the user.
                url(None)
            } else {
                with_hint
            },
            state,
        })
    }
}
