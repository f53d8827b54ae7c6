use std::fmt;

use serde::Serialize;

/// An app server's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[expect(clippy::exhaustive_enums, reason = "the story has three servers")]
pub enum ServerName {
    /// The first.
    A,
    /// The second.
    B,
    /// The third.
    C,
}

impl fmt::Display for ServerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
        })
    }
}

/// A part of the story; it says what the user may expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the story has three parts")]
pub enum Chapter {
    /// Everything works.
    SignedIn,
    /// Nothing may work.
    SignedOut,
    /// Everything works again.
    SignedInAgain,
}

/// The action of a step, with either kind of cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    SignIn,
    SignInAgain,
    CallApi,
    CallApiFromNearCache,
    CutBackplane,
    StartRefresh,
    FinishRefresh,
    LeaveToSignIn,
    ComeBackFromSignIn,
    SignOut,
}

/// A step of the story: something happens on one server.
#[derive(Debug)]
#[non_exhaustive]
pub struct Step {
    /// A stable name.
    pub name: &'static str,
    /// The server of the step.
    pub server: ServerName,
    /// The part it belongs to.
    pub chapter: Chapter,
    /// The description of the step.
    pub text: &'static str,
    /// The promise it tests: `G1` (final), `G2` (no resurrection) or `G4` (nothing lost).
    pub promise: Option<&'static str>,
    /// `true` if a plain cache gets it wrong.
    pub plain_cache_errs: bool,
    pub(crate) act: Act,
}

const CALLS: &str = "calls an API for her";
const FROM_NEAR_CACHE: &str = "calls it again, maybe from its near cache";
const WANTS: &str = "wants to call an API for her";

/// The story.
pub const STEPS: [Step; 18] = {
    use Act::{
        CallApi, CallApiFromNearCache, ComeBackFromSignIn, CutBackplane, FinishRefresh,
        LeaveToSignIn, SignIn, SignInAgain, SignOut, StartRefresh,
    };
    use Chapter::{SignedIn, SignedInAgain, SignedOut};
    use ServerName::{A, B, C};
    [
        step("sign_in", A, SignedIn, SignIn, "Ada signs in"),
        step("api_on_b", B, SignedIn, CallApi, CALLS).tests("G4"),
        step("api_on_c", C, SignedIn, CallApi, CALLS).tests("G4"),
        step(
            "refresh_starts",
            C,
            SignedIn,
            StartRefresh,
            "refreshes her tokens; the provider is slow",
        ),
        step(
            "other_browser_leaves",
            A,
            SignedIn,
            LeaveToSignIn,
            "another browser of hers goes to sign in",
        ),
        step(
            "copy_on_b",
            B,
            SignedIn,
            CallApiFromNearCache,
            FROM_NEAR_CACHE,
        )
        .tests("G4"),
        step(
            "copy_on_c",
            C,
            SignedIn,
            CallApiFromNearCache,
            FROM_NEAR_CACHE,
        )
        .tests("G4"),
        step(
            "link_is_cut",
            C,
            SignedIn,
            CutBackplane,
            "its backplane is cut: it receives no messages",
        ),
        step(
            "sign_out",
            B,
            SignedIn,
            SignOut,
            "Ada signs out at the provider, who tells B",
        )
        .tests("G1"),
        step("api_after_sign_out_on_a", A, SignedOut, CallApi, WANTS).tests("G1"),
        step("api_after_sign_out_on_b", B, SignedOut, CallApi, WANTS).tests("G1"),
        step("api_after_sign_out_on_c", C, SignedOut, CallApi, WANTS).tests("G1"),
        step(
            "late_refresh",
            C,
            SignedOut,
            FinishRefresh,
            "the provider answers; its tokens are late",
        )
        .tests("G2")
        .plain_cache_errs(),
        step("api_after_refresh_on_b", B, SignedOut, CallApi, WANTS)
            .tests("G1")
            .plain_cache_errs(),
        step("api_after_refresh_on_c", C, SignedOut, CallApi, WANTS)
            .tests("G1")
            .plain_cache_errs(),
        step(
            "other_browser_returns",
            A,
            SignedOut,
            ComeBackFromSignIn,
            "the other browser returns; it is late too",
        )
        .tests("G2")
        .plain_cache_errs(),
        step(
            "sign_in_again",
            B,
            SignedInAgain,
            SignInAgain,
            "Ada signs in again",
        )
        .tests("G2"),
        step("api_on_c_again", C, SignedInAgain, CallApi, CALLS).tests("G4"),
    ]
};

const fn step(
    name: &'static str,
    server: ServerName,
    chapter: Chapter,
    act: Act,
    text: &'static str,
) -> Step {
    Step {
        name,
        server,
        chapter,
        text,
        promise: None,
        plain_cache_errs: false,
        act,
    }
}

impl Step {
    const fn tests(mut self, promise: &'static str) -> Self {
        self.promise = Some(promise);
        self
    }

    const fn plain_cache_errs(mut self) -> Self {
        self.plain_cache_errs = true;
        self
    }

    /// Returns `true` if the step must succeed.
    pub(crate) fn ought_to_work(&self) -> bool {
        self.chapter != Chapter::SignedOut
    }
}
