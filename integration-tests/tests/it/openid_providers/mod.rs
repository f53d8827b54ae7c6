//! Sign-ins, refreshes and sign-outs at OpenID providers of other projects: a real browser, two of the demo's app servers on a real store,
//! and the messages that each provider sends.
//!
//! Tests at providers that take minutes to install and to start are ignored by default. They run with
//! `cargo test -p token-cache-integration-tests --test it openid_providers -- --include-ignored`.
mod recorded;
mod scenarios;
mod stage;
mod table;

use token_cache_integration_tests::servers::LogoutChannel::{Back, Front};

use crate::openid_providers::scenarios::run;

#[test]
fn oidc_provider_by_back_channel() {
    run(&table::OIDC_PROVIDER, Back);
}

#[test]
#[ignore = "idpyoidc is a package of PyPI"]
fn idpyoidc_by_back_channel() {
    run(&table::IDPYOIDC, Back);
}

#[test]
#[ignore = "idpyoidc is a package of PyPI"]
fn idpyoidc_by_front_channel() {
    run(&table::IDPYOIDC, Front);
}

#[test]
#[ignore = "Keycloak starts in minutes"]
fn keycloak_by_back_channel() {
    run(&table::KEYCLOAK, Back);
}

#[test]
#[ignore = "Keycloak starts in minutes"]
fn keycloak_by_front_channel() {
    run(&table::KEYCLOAK, Front);
}

#[test]
#[ignore = "Glewlwyd is a package of Debian"]
fn glewlwyd_by_back_channel() {
    run(&table::GLEWLWYD, Back);
}

#[test]
#[ignore = "Glewlwyd is a package of Debian"]
fn glewlwyd_by_front_channel() {
    run(&table::GLEWLWYD, Front);
}

#[test]
#[ignore = "LemonLDAP::NG is a package of Debian"]
fn lemonldap_by_front_channel() {
    run(&table::LEMONLDAP, Front);
}

#[test]
#[ignore = "Hydra is compiled in minutes"]
fn hydra_by_back_channel() {
    run(&table::HYDRA, Back);
}

#[test]
#[ignore = "Hydra is compiled in minutes"]
fn hydra_by_front_channel() {
    run(&table::HYDRA, Front);
}
