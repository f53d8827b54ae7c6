//! The scenarios.

use super::{
    scenario::{Act, Scenario, StoreLike},
    script::{MINUTE, begins, message, sign_in, sign_in_at, without_sid},
};

/// Returns all scenarios, for each kind of store.
pub fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (store, name) in [
        (StoreLike::Redis, "redis"),
        (StoreLike::DynamoDb, "dynamodb"),
    ] {
        for of in [
            by_the_app,
            by_the_provider,
            with_sids,
            of_an_issuer,
            and_entries,
        ] {
            all.extend(of(store).into_iter().map(|scenario| scenario.named(name)));
        }
    }
    all
}

/// The app signs out, by ticket, account or `sid`.
fn by_the_app(store: StoreLike) -> Vec<Scenario> {
    let on = |name: &str, actors| Scenario::new(store, name, actors);
    vec![
        on(
            "sign-in, sign-out by ticket",
            vec![sign_in(), Act::SignOutTicket(0).after(&[0])],
        )
        .faults(2),
        on(
            "sign-in, sign-out of the account",
            vec![sign_in(), Act::SignOutAccount(0).now()],
        )
        .faults(2),
        on(
            "sign-in, sign-out by ticket, time",
            vec![sign_in(), Act::SignOutTicket(0).after(&[0])],
        )
        .jumps(&[1])
        .faults(2),
        on(
            "sign-in, sign-out of the account, time",
            vec![sign_in(), Act::SignOutAccount(0).now()],
        )
        .jumps(&[12, 31])
        .faults(1),
        on(
            "sign-in, sign-out of the account, single sign-on",
            vec![
                sign_in(),
                Act::SignOutAccount(0).now(),
                sign_in().behind(&[0]),
            ],
        )
        .faults(1),
        on(
            "sign-out of the account, then single sign-on",
            vec![Act::SignOutAccount(0).now(), sign_in().behind(&[0])],
        )
        .faults(1),
        on(
            "sign-in, two sign-outs of the account",
            vec![
                sign_in(),
                Act::SignOutAccount(0).now(),
                Act::SignOutAccount(0).now(),
            ],
        )
        .faults(1),
        on(
            "sign-in, sign-out of a sid by the app",
            vec![sign_in(), Act::SignOutSid(0).now()],
        )
        .faults(2),
        on(
            "sign-in, sign-out of a sid by the app, single sign-on",
            vec![sign_in(), Act::SignOutSid(0).now(), sign_in().behind(&[1])],
        )
        .faults(1),
        on(
            "two sign-ins, one ticket signed out",
            vec![sign_in(), sign_in(), Act::SignOutTicket(0).after(&[0])],
        )
        .faults(1),
    ]
}

/// The provider's message signs out.
fn by_the_provider(store: StoreLike) -> Vec<Scenario> {
    let on = |name: &str, actors| Scenario::new(store, name, actors);
    vec![
        on(
            "sign-in, provider's message with a sid",
            vec![sign_in(), message(None).now()],
        )
        .faults(2),
        on(
            "sign-in, provider's message with a sid, time",
            vec![sign_in(), message(None).now()],
        )
        .jumps(&[31])
        .faults(1),
        on(
            "sign-in, provider's message with a sid, delivered again",
            vec![sign_in(), message(None).now(), Act::Redelivery(1).now()],
        )
        .faults(1),
        on(
            "sign-in, provider's message with a sid, new authentication",
            vec![sign_in(), message(None).now(), sign_in().behind(&[0])],
        )
        .faults(1),
        on(
            "sign-in, provider's message with a subject",
            vec![sign_in(), Act::MessageSubject(0).now()],
        )
        .faults(2),
        on(
            "sign-in, provider's message with a subject, its clock ahead",
            vec![sign_in(), Act::MessageSubject(0).now()],
        )
        .skew(3_600_000)
        .faults(1),
        on(
            "sign-in, provider's message with a subject, new authentication, its clock behind",
            vec![
                sign_in(),
                Act::MessageSubject(0).now(),
                sign_in().behind(&[0]),
            ],
        )
        .skew(-3_600_000)
        .faults(1),
        on(
            "no auth_time, provider's message with a subject, new authentication, time",
            vec![
                begins(|act| act.auth_time = false),
                Act::MessageSubject(0).now(),
                begins(|act| act.auth_time = false),
            ],
        )
        .jumps(&[1])
        .skew(-4_000),
        on(
            "sign-in, sign-out by the app and by the provider",
            vec![
                sign_in(),
                Act::SignOutAccount(0).now(),
                Act::MessageSubject(0).now(),
            ],
        ),
    ]
}

/// Several accounts, browsers and lifetimes, with and without a `sid`.
fn with_sids(store: StoreLike) -> Vec<Scenario> {
    let on = |name: &str, actors| Scenario::new(store, name, actors);
    vec![
        on(
            "with and without a sid, provider's message with subject and sid",
            vec![sign_in(), without_sid(), message(Some(0)).now()],
        )
        .browsers(2),
        on(
            "without a sid, provider's message with subject and sid, new authentication",
            vec![
                without_sid(),
                message(Some(0)).now(),
                without_sid().behind(&[0]),
            ],
        )
        .browsers(2)
        .faults(1),
        on(
            "two browsers, provider's message with a sid that means the account",
            vec![
                sign_in(),
                sign_in_at(0, 1),
                Act::Message {
                    browser: 0,
                    user: None,
                    means_account: true,
                }
                .now(),
            ],
        )
        .browsers(2),
        on(
            "two accounts under one sid",
            vec![sign_in(), sign_in_at(1, 0), message(None).now()],
        ),
        on(
            "two lives under one sid, time",
            vec![
                sign_in(),
                begins(|act| act.life = 60 * MINUTE).behind(&[0]),
                message(None).after(&[1]),
            ],
        )
        .jumps(&[120]),
    ]
}

/// A sign-out of the whole issuer.
fn of_an_issuer(store: StoreLike) -> Vec<Scenario> {
    let on = |name: &str, actors| Scenario::new(store, name, actors);
    vec![
        on(
            "sign-in, sign-out of the issuer",
            vec![sign_in(), Act::SignOutIssuer.now()],
        )
        .faults(2),
        on(
            "sign-in, sign-out of the issuer, time",
            vec![sign_in(), Act::SignOutIssuer.now()],
        )
        .jumps(&[31])
        .faults(1),
        on(
            "sign-in, sign-out of the issuer, resumed by another server",
            vec![
                sign_in(),
                Act::SignOutIssuer.now(),
                Act::Redelivery(1).now(),
            ],
        )
        .faults(1),
        on(
            "sign-in, sign-out of the issuer, single sign-on",
            vec![sign_in(), Act::SignOutIssuer.now(), sign_in().behind(&[0])],
        )
        .faults(1),
        on(
            "two accounts, sign-out of the issuer",
            vec![sign_in(), sign_in_at(1, 0), Act::SignOutIssuer.now()],
        ),
    ]
}

/// The entries and background sessions of a session.
fn and_entries(store: StoreLike) -> Vec<Scenario> {
    let on = |name: &str, actors| Scenario::new(store, name, actors);
    vec![
        on(
            "sign-in, write, sign-out of the account",
            vec![
                sign_in(),
                Act::Write(0).after(&[0]),
                Act::SignOutAccount(0).now(),
            ],
        )
        .faults(1),
        on(
            "sign-in, write, read, sign-out of the account",
            vec![
                sign_in(),
                Act::Write(0).after(&[0]),
                Act::Read(0).after(&[0]),
                Act::Read(0).after(&[0]),
                Act::SignOutAccount(0).after(&[0]),
            ],
        )
        .faults(1),
        on(
            "sign-in, create, removal",
            vec![
                sign_in(),
                Act::Create(0).after(&[0]),
                Act::Remove(0).after(&[1]),
            ],
        )
        .faults(2),
        on(
            "sign-in, create, removal, sign-out of the account",
            vec![
                sign_in(),
                Act::Create(0).after(&[0]),
                Act::Remove(0).after(&[1]),
                Act::SignOutAccount(0).after(&[0]),
            ],
        )
        .faults(1),
        on(
            "sign-in with background session, sign-out of the account, job",
            vec![
                begins(|act| act.background_access = true),
                Act::SignOutAccount(0).now(),
                Act::FindBackgroundSession(0).now(),
            ],
        )
        .faults(1),
        on(
            "sign-in with background session, provider's message with a sid, job",
            vec![
                begins(|act| act.background_access = true),
                message(None).now(),
                Act::FindBackgroundSession(0).now(),
            ],
        )
        .faults(1),
        on(
            "sign-in with background session, provider's message with a sid, job, time",
            vec![
                begins(|act| act.background_access = true),
                message(None).now(),
                Act::FindBackgroundSession(0).now(),
            ],
        )
        .jumps(&[31]),
    ]
}
