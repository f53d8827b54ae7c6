//! Tickets and started sign-ins: opaque, and invalid after any change.

#![cfg(feature = "test-util")]

use token_cache_core::{
    AccountId, ErrorKind, MemoryStore, Secret, Session, SignIn, StartedSignIn, Ticket, TokenCache,
};

async fn cache(store: &MemoryStore, secret: &Secret) -> TokenCache {
    TokenCache::open(store.clone(), secret.clone())
        .await
        .unwrap()
}

async fn signed_in(cache: &TokenCache) -> Session {
    let started = cache.start_sign_in().unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    cache.sign_in(SignIn::new(ada, &started)).await.unwrap()
}

/// The letters of which the text of a ticket consists.
fn alphabet() -> Vec<char> {
    ('A'..='Z')
        .chain('a'..='z')
        .chain('0'..='9')
        .chain(['-', '_'])
        .collect()
}

/// Includes `Corrupt`, because a changed version byte looks as if a later release had sealed the ticket.
fn is_refused(error: &token_cache_core::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidTicket | ErrorKind::KeyMissing | ErrorKind::Corrupt
    )
}

#[tokio::test]
async fn a_ticket_survives_its_text_form_and_serde() {
    let cache = TokenCache::in_memory().await.unwrap();
    let ticket = signed_in(&cache).await.ticket().unwrap();
    let text: Ticket = ticket.to_text().parse().unwrap();
    let json: Ticket = serde_json::from_str(&serde_json::to_string(&ticket).unwrap()).unwrap();
    for ticket in [text, json] {
        assert!(cache.resume(&ticket).await.is_ok());
    }
}

#[tokio::test]
async fn a_ticket_changed_anywhere_opens_nothing() {
    let cache = TokenCache::in_memory().await.unwrap();
    let text = signed_in(&cache).await.ticket().unwrap().to_text();
    for at in 0..text.len() {
        for replacement in alphabet() {
            let mut changed: Vec<char> = text.chars().collect();
            if changed[at] == replacement {
                continue;
            }
            changed[at] = replacement;
            // The last letter has unused bits, and the decoder itself refuses other values of them.
            let Ok(ticket) = changed.iter().collect::<String>().parse::<Ticket>() else {
                continue;
            };
            let error = cache.resume_unverified(&ticket).unwrap_err();
            assert!(
                is_refused(&error),
                "letter {at} changed to {replacement}: {error}",
            );
        }
    }
}

#[tokio::test]
async fn a_ticket_cut_short_or_made_longer_opens_nothing() {
    let cache = TokenCache::in_memory().await.unwrap();
    let text = signed_in(&cache).await.ticket().unwrap().to_text();
    let lengths = (0..text.len()).map(|length| text[..length].to_owned());
    for changed in lengths.chain([format!("{text}AAAA"), format!("{text}{text}")]) {
        let Ok(ticket) = changed.parse::<Ticket>() else {
            continue;
        };
        let error = cache.resume_unverified(&ticket).unwrap_err();
        assert!(
            matches!(
                error.kind(),
                ErrorKind::InvalidTicket | ErrorKind::KeyMissing
            ),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_ticket_of_a_later_format_says_so_and_may_be_of_a_living_session() {
    let cache = TokenCache::in_memory().await.unwrap();
    let text = signed_in(&cache).await.ticket().unwrap().to_text();
    // The first byte is the format's version; the first letter holds its upper six bits.
    for (text, kind) in [
        (format!("C{}", &text[1..]), ErrorKind::Corrupt),
        (format!("z{}", &text[1..]), ErrorKind::InvalidTicket),
    ] {
        let later: Ticket = text.parse().unwrap();
        let error = cache.resume_unverified(&later).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains("format version"), "{error}");
    }
}

#[tokio::test]
async fn a_ticket_of_another_secret_names_the_fix() {
    let cache = TokenCache::in_memory().await.unwrap();
    let stranger = TokenCache::in_memory().await.unwrap();
    let ticket = signed_in(&stranger).await.ticket().unwrap();
    let error = cache.resume(&ticket).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::KeyMissing);
    assert!(error.to_string().contains("TOKEN_CACHE_SECRET"), "{error}");
}

#[tokio::test]
async fn a_started_sign_in_is_no_ticket_and_a_ticket_no_started_sign_in() {
    let cache = TokenCache::in_memory().await.unwrap();
    let ticket: Ticket = cache.start_sign_in().unwrap().to_text().parse().unwrap();
    assert_eq!(
        cache.resume(&ticket).await.unwrap_err().kind(),
        ErrorKind::InvalidTicket
    );

    let started: StartedSignIn = signed_in(&cache)
        .await
        .ticket()
        .unwrap()
        .to_text()
        .parse()
        .unwrap();
    let ada = AccountId::new("https://id.example", "ada").unwrap();
    let error = cache.sign_in(SignIn::new(ada, &started)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidTicket);
}

#[tokio::test]
async fn no_two_tickets_of_a_session_are_alike() {
    let cache = TokenCache::in_memory().await.unwrap();
    let session = signed_in(&cache).await;
    assert_ne!(session.ticket().unwrap(), session.ticket().unwrap());
}

#[tokio::test]
async fn a_ticket_works_on_every_server_of_the_secret() {
    let (store, secret) = (MemoryStore::new(), Secret::random().unwrap());
    let (a, b) = (cache(&store, &secret).await, cache(&store, &secret).await);
    let ticket = signed_in(&a).await.ticket().unwrap();
    assert!(b.resume(&ticket).await.is_ok());
}

#[test]
fn text_that_is_no_ticket_is_refused_without_a_key() {
    for text in ["no ticket", "a=b", "\u{0}", &"A".repeat(1025)] {
        assert_eq!(
            text.parse::<Ticket>().unwrap_err().kind(),
            ErrorKind::InvalidTicket,
            "{text}"
        );
    }
}
