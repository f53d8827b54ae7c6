//! Checks of a store that lacks an optional part: it returns `Unsupported` for that part, and does the rest.

use token_cache_core::{EvictOptions, ServerId};

use crate::{
    Needs, Setup, Violation,
    account_driver::by_app,
    assertions::{Assertions, should_hold},
};

pub(crate) async fn run(needs: Needs, setup: &Setup) -> Result<(), Violation> {
    match needs {
        Needs::Nothing => Ok(()),
        Needs::Backplane => without_a_backplane(setup).await,
    }
}

/// A sign-out that is to be published works, and no server receives a message.
async fn without_a_backplane(setup: &Setup) -> Result<(), Violation> {
    let ada = setup.account()?;
    let session_id = ada.signs_in().await?;
    let server = ServerId::mint().should_work("minting a server's id")?;
    let options = EvictOptions::at(ada.now).published_by(server);
    let evicted = ada.store.evict(&ada.key, by_app(ada.now), options).await;
    let evicted = evicted.should_work("a sign-out to be published, without a backplane")?;
    should_hold(evicted.ended, "a sign-out that ends the session", "nothing")?;
    should_hold(
        evicted.published.is_none(),
        "no invalidation message, without a backplane",
        "one",
    )?;
    ada.session(&session_id)
        .await
        .should_be_signed_out("a look at the session")
}
