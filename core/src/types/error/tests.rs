use super::{Error, ErrorKind};

#[test]
fn debug_prints_a_sentence_and_its_alternate_form_the_struct() {
    let refused = std::io::Error::other("connection refused");
    let error = Error::new(ErrorKind::Unavailable, "read an entry")
        .store("redis")
        .message("no answer from cache.internal; is the server running?")
        .maybe_applied()
        .with_source(Error::config("connect", "a cause of its own").with_source(refused));
    assert_eq!(
        format!("{error:?}"),
        "redis could not read an entry: no answer from cache.internal; is the server running? \
         [unavailable; it may have been applied]; caused by: could not connect: a cause of its own; \
         caused by: connection refused"
    );
    let structure = format!("{error:#?}");
    assert!(
        structure.starts_with("Error {\n    kind: Unavailable,"),
        "{structure}"
    );
    assert!(structure.contains("\"connection refused\","), "{structure}");
}

/// Every kind, in the order of the enum: a new kind does not compile without a place here.
fn all_kinds() -> Vec<ErrorKind> {
    let after = |kind: &ErrorKind| {
        Some(match kind {
            ErrorKind::SignedOut => ErrorKind::SignInRevoked,
            ErrorKind::SignInRevoked => ErrorKind::Unavailable,
            ErrorKind::Unavailable => ErrorKind::TimedOut,
            ErrorKind::TimedOut => ErrorKind::Throttled,
            ErrorKind::Throttled => ErrorKind::Full,
            ErrorKind::Full => ErrorKind::Denied,
            ErrorKind::Denied => ErrorKind::Config,
            ErrorKind::Config => ErrorKind::TooLarge,
            ErrorKind::TooLarge => ErrorKind::Corrupt,
            ErrorKind::Corrupt => ErrorKind::InvalidTicket,
            ErrorKind::InvalidTicket => ErrorKind::KeyMissing,
            ErrorKind::KeyMissing => ErrorKind::Unsupported,
            ErrorKind::Unsupported => ErrorKind::NotRefreshable,
            ErrorKind::NotRefreshable => ErrorKind::ProviderUnavailable,
            ErrorKind::ProviderUnavailable => ErrorKind::ProviderRefused,
            ErrorKind::ProviderRefused => ErrorKind::InteractionRequired,
            ErrorKind::InteractionRequired => ErrorKind::ProviderMalformed,
            ErrorKind::ProviderMalformed => ErrorKind::Misuse,
            ErrorKind::Misuse => ErrorKind::Unexpected,
            ErrorKind::Unexpected => return None,
        })
    };
    std::iter::successors(Some(ErrorKind::SignedOut), after).collect()
}

#[test]
fn every_kind_says_what_is_wrong_and_what_to_do() {
    for kind in all_kinds() {
        let error = Error::new(kind, "read an entry").store("redis");
        let sentence = format!("{error}");
        let (wrong, to_do) = sentence.split_once("; ").expect(&sentence);
        assert!(
            wrong.starts_with("redis could not read an entry: "),
            "{sentence}"
        );
        for part in [kind.to_string().as_str(), to_do] {
            assert!(part.starts_with(char::is_lowercase), "{sentence}");
            assert!(!part.ends_with(['.', '!', ';']), "{sentence}");
        }
        assert_eq!(
            format!("{error:?}"),
            format!("{sentence} [{}]", kind.name())
        );
    }
}

#[test]
fn a_revoked_sign_in_is_no_ended_session() {
    let revoked = Error::new(ErrorKind::SignInRevoked, "sign in");
    assert!(!revoked.is_signed_out() && !revoked.is_retryable());
    assert!(revoked.to_string().contains("`prompt=login`"), "{revoked}");
}
