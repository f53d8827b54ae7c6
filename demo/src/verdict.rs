use serde::Serialize;

use crate::{
    failure::Exit,
    story::{Chapter, STEPS, ServerName},
};

/// The outcome of a step with one kind of cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Outcome {
    /// The user is signed in.
    SignedIn,
    /// A browser is on its way to the provider.
    Redirected,
    /// The server had a token to call the API with.
    Called,
    /// The server called the API with a token of which it had a copy, and asked no store.
    FromNearCache,
    /// A server with a near cache asked the store.
    NotFromNearCache,
    /// The server receives no invalidation messages any more.
    BackplaneCut,
    /// There is no backplane, so none was cut.
    NoBackplane,
    /// A refresh waits for the provider.
    InFlight,
    /// Refreshed tokens were stored.
    Refreshed,
    /// The sign-out was carried out.
    SignedOut,
    /// The sign-out returned while a server that did not receive its message might still have served a copy.
    SignedOutTooEarly,
    /// The cache said that the user has signed out.
    Refused,
    /// The cache had no tokens.
    NoTokens,
}

/// The result of a step with one kind of cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Deed {
    /// The outcome.
    pub outcome: Outcome,
    /// The access token that was used or stored.
    pub token: Option<String>,
    /// `true` if the user may expect this outcome.
    pub right: bool,
    /// The wait of a sign-out for the copies of other servers, or `None` if no server keeps copies.
    pub waited: Option<WaitedFor>,
}

/// The wait of a sign-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WaitedFor {
    /// How long.
    pub ms: u64,
    /// The servers that did not acknowledge: the sign-out waited until their leases had run out.
    pub silent: Vec<ServerName>,
}

/// A step and its results with both kinds of cache.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Told {
    /// Counted from 1.
    pub number: usize,
    /// See [`Step::name`](crate::Step::name).
    pub name: &'static str,
    /// See [`Step::server`](crate::Step::server).
    pub server: ServerName,
    /// See [`Step::chapter`](crate::Step::chapter).
    pub chapter: Chapter,
    /// See [`Step::text`](crate::Step::text).
    pub text: &'static str,
    /// See [`Step::promise`](crate::Step::promise).
    pub promise: Option<&'static str>,
    /// Milliseconds since the story began.
    pub at_ms: u64,
    /// The result with token-cache.
    pub token_cache: Deed,
    /// The result with the plain cache.
    pub plain_cache: Deed,
}

/// The conclusion of the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each ends the process differently")]
pub enum Conclusion {
    /// token-cache did everything right, and the plain cache everything wrong that it was expected to.
    Proved,
    /// token-cache did something wrong.
    PromiseBroken,
    /// token-cache did everything right, but the plain cache did otherwise than expected.
    ProvesNothing,
}

/// The conclusion of the story, and the steps that it is based on.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The conclusion.
    pub conclusion: Conclusion,
    /// The names of the steps that token-cache got wrong.
    pub token_cache_wrong: Vec<&'static str>,
    /// The names of the steps that the plain cache got wrong.
    pub plain_cache_wrong: Vec<&'static str>,
    /// The same in two sentences: what token-cache did, what the plain cache did.
    pub text: [String; 2],
}

impl Verdict {
    /// Judges a story by its steps.
    pub(crate) fn of(told: &[Told]) -> Self {
        let names = |wrong: &dyn Fn(&&Told) -> bool| -> Vec<&'static str> {
            told.iter().filter(wrong).map(|told| told.name).collect()
        };
        let token_cache_wrong = names(&|told| !told.token_cache.right);
        let plain_cache_wrong = names(&|told| !told.plain_cache.right);
        let expected = STEPS.iter().filter(|step| step.plain_cache_errs);
        let as_expected = expected
            .map(|step| step.name)
            .eq(plain_cache_wrong.iter().copied());
        let conclusion = if !token_cache_wrong.is_empty() {
            Conclusion::PromiseBroken
        } else if told.len() == STEPS.len() && as_expected {
            Conclusion::Proved
        } else {
            Conclusion::ProvesNothing
        };
        let text = [
            of_token_cache(&token_cache_wrong),
            of_plain_cache(&plain_cache_wrong, as_expected),
        ];
        Self {
            conclusion,
            token_cache_wrong,
            plain_cache_wrong,
            text,
        }
    }

    /// How the demo ends.
    pub const fn exit(&self) -> Exit {
        match self.conclusion {
            Conclusion::Proved => Exit::Proved,
            Conclusion::PromiseBroken => Exit::PromiseBroken,
            Conclusion::ProvesNothing => Exit::ProvesNothing,
        }
    }
}

fn of_token_cache(wrong: &[&str]) -> String {
    if wrong.is_empty() {
        "token-cache kept its promises: once Ada had signed out, no server used a token of hers, not even from its near cache. \
         Nothing that was still under way brought a token back."
            .to_owned()
    } else {
        format!(
            "token-cache BROKE A PROMISE at {}: please report it, with this output.",
            steps(wrong),
        )
    }
}

fn of_plain_cache(wrong: &[&str], as_expected: bool) -> String {
    if as_expected {
        "The plain cache let her back in: the refresh that was in flight on C stored her account anew after the \
         sign-out. B and C continued to call the API with it, and a sign-in from before the sign-out came through."
            .to_owned()
    } else if wrong.is_empty() {
        "The plain cache did nothing wrong either, so this run proves nothing.".to_owned()
    } else {
        format!(
            "The plain cache went wrong at {}, which is not what a plain cache does, so this run proves nothing.",
            steps(wrong),
        )
    }
}

/// `step 10 (late_refresh)` and so on.
fn steps(names: &[&str]) -> String {
    let numbered: Vec<String> = STEPS
        .iter()
        .zip(1..)
        .filter(|(step, _)| names.contains(&step.name))
        .map(|(step, number)| format!("step {number} ({})", step.name))
        .collect();
    numbered.join(", ")
}
