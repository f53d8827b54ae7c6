use std::sync::Arc;

use sha2::{Digest, Sha256};
use token_cache::{ExposeSecret, TokenSet};

use super::timeline::{Kind, Timeline};
use crate::{failure::Denied, plain_cache::Keys};

/// The app with a plain shared cache, on the same servers: `SET` when tokens arrive, `GET` when they are needed, and `DEL` when a known user
/// signs out.
///
/// It keeps a fingerprint where that app would keep the tokens.
pub(crate) struct PlainApp {
    keys: Arc<dyn Keys>,
}

impl PlainApp {
    pub(crate) const fn new(keys: Arc<dyn Keys>) -> Self {
        Self { keys }
    }

    pub(crate) async fn tokens_came_in(
        &self,
        timeline: &Timeline,
        server: &str,
        subject: &str,
        tokens: &TokenSet,
    ) {
        if let Err(denied) = self.keys.set(subject, fingerprint(tokens)).await {
            failed(timeline, server, denied);
        }
    }

    /// Says what it did with an answer that came in after the sign-out.
    pub(crate) async fn took_late_answer(&self, timeline: &Timeline, server: &str, subject: &str) {
        match self.keys.get(subject).await {
            Ok(Some(_)) => timeline.tell(
                Some(server),
                Kind::PlainErred,
                "The plain cache stores the late answer: the tokens are back, for every server.",
            ),
            Ok(None) => {}
            Err(denied) => failed(timeline, server, denied),
        }
    }

    pub(crate) async fn signed_out(&self, timeline: &Timeline, server: &str, subject: &str) {
        let done = async {
            let before = self.keys.get(subject).await?;
            self.keys.del(subject).await?;
            Ok(before.is_some())
        };
        match done.await {
            Ok(true) => timeline.tell(
                Some(server),
                Kind::Plain,
                "The plain cache deletes what it holds at this moment.",
            ),
            Ok(false) => {}
            Err(denied) => failed(timeline, server, denied),
        }
    }

    /// The fingerprint of the tokens that it holds for a user.
    pub(crate) async fn holds(&self, subject: &str) -> Result<Option<String>, Denied> {
        self.keys.get(subject).await
    }
}

fn failed(timeline: &Timeline, server: &str, denied: Denied) {
    let text = match denied {
        Denied::SignedOut => "the plain cache knows no sign-out".to_owned(),
        Denied::Failed(text) => text,
    };
    timeline.tell(Some(server), Kind::Failed, text);
}

/// Six hexadecimal digits: tells an access token from the next one, and opens nothing.
pub(crate) fn fingerprint(tokens: &TokenSet) -> String {
    let hash: [u8; 32] = Sha256::digest(tokens.access_token().expose_secret()).into();
    let [a, b, c, ..] = hash;
    format!("{a:02x}{b:02x}{c:02x}")
}
