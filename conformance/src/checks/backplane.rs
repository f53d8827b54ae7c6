//! The backplane between servers that keep near caches.

use std::{
    collections::{BTreeSet, HashSet},
    time::Duration,
};

use token_cache_core::{
    Acknowledgement, CutoffBound, EvictOptions, EvictTarget, Invalidation, LeaseHolder, RegistryId,
};

use crate::{
    Setup, Violation,
    account_driver::{by_app, provider},
    assertions::{Assertions, should_equal, should_hold},
    random,
    recording_listener::Connected,
    setup::backplane_of,
};

/// How long a lost connection may take to say so.
const SOON: Duration = Duration::from_secs(5);

fn renewal_of(holders: &[LeaseHolder], server: &Connected) -> Option<u64> {
    let mut of_server = holders.iter().filter(|holder| holder.server == server.id);
    of_server.next().map(|holder| holder.renewal)
}

/// When a renewal has returned, the listener has heard whatever was published before.
pub(crate) async fn a_renewal_comes_after_what_was_published(
    setup: &Setup,
) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let ada = setup.account()?;
    for _ in 0..20 {
        let options = EvictOptions::at(ada.now).published_by(origin.id);
        let evicted = origin
            .store
            .evict(&ada.key, by_app(ada.now), options)
            .await
            .should_work("an published sign-out")?;
        let published = evicted
            .published
            .ok_or_else(|| Violation::new("an invalidation message", "none"))?;
        holder.renews().await?;
        holder.has_heard(published.id, &ada.key)?;
    }
    Ok(())
}

/// An invalidation message arrives unchanged at every server that listens, including its publisher.
pub(crate) async fn an_invalidation_message_arrives_complete(
    setup: &Setup,
) -> Result<(), Violation> {
    let (origin, other) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let some = (0..100)
        .map(|_| random::account())
        .collect::<Result<_, _>>()?;
    for what in [
        Invalidation::Accounts(vec![random::account()?]),
        Invalidation::Accounts(some),
        Invalidation::Everything,
    ] {
        for by in [Some(&origin), None] {
            let published = backplane_of(&*origin.store)?
                .publish(by.map(|by| by.id), what.clone())
                .await
                .should_work("publishing")?;
            for server in [&origin, &other] {
                server.renews().await?;
                let heard = server
                    .heard(published.id)
                    .ok_or_else(|| Violation::new("the invalidation message", "silence"))?;
                should_equal(&heard.what, &what, "what was published")?;
                should_equal(&heard.origin, &by.map(|by| by.id), "the origin")?;
            }
        }
    }
    Ok(())
}

/// An acknowledgement arrives complete at the server that published, and at no other server.
pub(crate) async fn an_acknowledgement_comes_to_the_origin_alone(
    setup: &Setup,
) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let bystander = Connected::new(setup).await?;
    let published = origin.publishes(Invalidation::Everything).await?;
    setup
        .until_it_holds(async || Ok(origin.answers_to(published.id).len() >= 3))
        .await?;
    let answers = origin.answers_to(published.id);
    let expected = Acknowledgement {
        message: published.id,
        server: holder.id,
        knows: Some(RegistryId::from_bytes(*published.id.as_bytes())),
    };
    should_hold(
        answers.contains(&expected),
        "the holder's acknowledgement, as it was given",
        &format!("{answers:?}"),
    )?;
    for other in [&holder, &bystander] {
        // Whatever was on its way to it has come when its own has.
        let own = other.publishes(Invalidation::Everything).await?;
        setup
            .until_it_holds(async || Ok(other.answers_to(own.id).len() >= 3))
            .await?;
        should_equal(
            &other.answers_to(published.id).len(),
            &0,
            "acknowledgements of another's invalidation message",
        )?;
    }
    Ok(())
}

/// An eviction is published also where it ended nothing: an earlier attempt, whose answer was lost, may have ended it.
pub(crate) async fn an_eviction_that_ends_nothing_is_published(
    setup: &Setup,
) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let ada = setup.account()?;
    let sid = random::sid()?;
    let mut ids = HashSet::new();
    for target in [
        by_app(ada.now),
        EvictTarget::Session(random::session_id()?),
        EvictTarget::Sid {
            sid,
            bound: CutoffBound::Forever,
        },
        EvictTarget::SidOrWithoutSid {
            sid,
            without_sid_until: provider(900),
        },
    ] {
        let options = EvictOptions::at(ada.now).published_by(origin.id);
        let evicted = origin.store.evict(&ada.key, target, options).await;
        let evicted = evicted.should_work("an published sign-out")?;
        should_hold(!evicted.ended, "a sign-out that ends nothing", "an end")?;
        let published = evicted
            .published
            .ok_or_else(|| Violation::new("an invalidation message", "none"))?;
        should_hold(
            ids.insert(published.id),
            "an id of its own for each",
            "one that was used",
        )?;
        holder.renews().await?;
        holder.has_heard(published.id, &ada.key)?;
    }
    let plain = EvictOptions::at(ada.now);
    let evicted = origin.store.evict(&ada.key, by_app(ada.now), plain).await;
    should_hold(
        evicted.should_work("a sign-out")?.published.is_none(),
        "no invalidation message without a request for one",
        "one",
    )
}

/// The registry holds exactly the servers that have renewed and not left. A harness may have servers of its own there.
pub(crate) async fn the_registry_holds_every_lease_holder(setup: &Setup) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let there = async || {
        let holders = origin.holders().await?;
        Ok::<_, Violation>(holders.iter().map(|h| h.server).collect::<BTreeSet<_>>())
    };
    let others = there().await?;
    let and_others = |servers: &[&Connected]| {
        let mut all = others.clone();
        all.extend(servers.iter().map(|server| server.id));
        all
    };
    should_hold(
        !others.contains(&origin.id) && !others.contains(&holder.id),
        "no holder that has never renewed",
        &format!("{others:?}"),
    )?;
    holder.renews().await?;
    holder.renews().await?;
    let expected = and_others(&[&holder]);
    should_equal(&there().await?, &expected, "holders after a renewal")?;
    origin.renews().await?;
    let expected = and_others(&[&origin, &holder]);
    should_equal(&there().await?, &expected, "holders after two renewals")?;
    let left = holder.connection.leave().await;
    left.should_work("giving the lease up")?;
    let expected = and_others(&[&origin]);
    should_equal(&there().await?, &expected, "holders after one left")
}

/// A reap removes a server unless it has renewed since the registry was read.
pub(crate) async fn a_reap_spares_servers_that_renewed_meanwhile(
    setup: &Setup,
) -> Result<(), Violation> {
    let origin = Connected::new(setup).await?;
    let (silent, slow) = (Connected::new(setup).await?, Connected::new(setup).await?);
    silent.renews().await?;
    slow.renews().await?;
    let seen = origin.holders().await?;
    slow.renews().await?;
    let reaped = origin.connection.reap(&seen).await;
    reaped.should_work("removing silent servers")?;
    let left: Vec<_> = origin.holders().await?.iter().map(|h| h.server).collect();
    should_equal(&left, &vec![slow.id], "holders left")?;
    let reaped = origin.connection.reap(&origin.holders().await?).await;
    reaped.should_work("removing a silent server")?;
    should_equal(&origin.holders().await?.len(), &0, "holders left")
}

/// No renewal has the number of another: not after who renewed left, was removed, or connected anew.
pub(crate) async fn no_two_renewals_are_alike(setup: &Setup) -> Result<(), Violation> {
    let (origin, other) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let mut holder = Connected::new(setup).await?;
    let mut seen = HashSet::new();
    let mut fresh = async |server: &Connected| {
        server.renews().await?;
        let holders = origin.holders().await?;
        let renewal = renewal_of(&holders, server)
            .ok_or_else(|| Violation::new("a server that has renewed, in the registry", "none"))?;
        should_hold(
            seen.insert(renewal),
            "a number that no renewal had before",
            "one that was used",
        )
    };
    for round in 0..9 {
        fresh(&holder).await?;
        fresh(&other).await?;
        match round % 3 {
            0 => {
                let left = holder.connection.leave().await;
                left.should_work("giving the lease up")?;
            }
            1 => {
                let reaped = origin.connection.reap(&origin.holders().await?).await;
                reaped.should_work("removing silent servers")?;
            }
            _ => holder = Connected::named(holder.id, setup.another_server().await?).await?,
        }
    }
    Ok(())
}

/// The registry keeps its id, for every server that asks, and while servers come and go.
pub(crate) async fn the_registry_keeps_its_id(setup: &Setup) -> Result<(), Violation> {
    let (origin, holder) = (Connected::new(setup).await?, Connected::new(setup).await?);
    let read = origin.connection.registry().await;
    let id = read.should_work("reading the registry's id")?;
    for server in [&holder, &origin, &holder] {
        should_equal(&server.renews().await?, &id, "the id that a renewal tells")?;
    }
    let published = origin.publishes(Invalidation::Everything).await?;
    should_equal(
        &published.registry,
        &Some(id),
        "the registry's id in the answer to an invalidation that the origin published",
    )?;
    for server in [&holder, &origin] {
        let left = server.connection.leave().await;
        left.should_work("giving the lease up")?;
    }
    let late = Connected::new(setup).await?;
    should_equal(&late.renews().await?, &id, "the id after all have left")
}

/// A connection either hears, or says that it is lost.
pub(crate) async fn a_lost_connection_says_so(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let holder = Connected::over(breakable.store.clone()).await?;
    let origin = Connected::new(setup).await?;
    holder.renews().await?;
    breakable.switch.cut().await;
    let published = origin.publishes(Invalidation::Everything).await?;
    if holder.connection.renew().await.is_ok() {
        return should_hold(
            holder.heard(published.id).is_some(),
            "the invalidation message, by who renewed after it",
            "silence",
        );
    }
    let lost = tokio::time::timeout(SOON, holder.connection.lost()).await;
    should_hold(
        lost.is_ok(),
        "a connection that says it is lost, since it can't renew",
        "it says nothing",
    )
}
