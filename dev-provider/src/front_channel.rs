use std::collections::BTreeSet;

use url::Url;

use super::{sessions::Session, shared::Shared};

/// The URL that a browser loads in an iframe to notify an app (Front-Channel Logout 1.0 section 2).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Frame {
    pub(super) client: String,
    pub(super) address: Url,
}

pub(super) fn frames(shared: &Shared, session: &Session) -> Vec<Frame> {
    let frames: BTreeSet<Frame> = session
        .participants
        .iter()
        .filter_map(|participant| {
            let client = shared.registry.client(&participant.client)?;
            let uri = client.frontchannel_logout_uri.as_ref()?;
            let mut address = Url::parse(uri).ok()?;
            if client.frontchannel_logout_session_required {
                address
                    .query_pairs_mut()
                    .append_pair("iss", &shared.issuer)
                    .append_pair("sid", &participant.sid);
            }
            Some(Frame {
                client: client.id.clone(),
                address,
            })
        })
        .collect();
    frames.into_iter().collect()
}
