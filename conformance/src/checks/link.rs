//! The link between servers that keep local copies.

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
    recording_listener::Linked,
    setup::link_of,
};

/// How long a lost connection may take to say so.
const SOON: Duration = Duration::from_secs(5);

fn renewal_of(holders: &[LeaseHolder], server: &Linked) -> Option<u64> {
    let mut of_server = holders.iter().filter(|holder| holder.server == server.id);
    of_server.next().map(|holder| holder.renewal)
}

/// When a renewal has returned, the listener has heard whatever was announced before.
pub(crate) async fn a_renewal_comes_after_what_was_announced(
    setup: &Setup,
) -> Result<(), Violation> {
    let (signer, holder) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let ada = setup.account()?;
    for _ in 0..20 {
        let options = EvictOptions::at(ada.now).announced_by(signer.id);
        let evicted = signer
            .store
            .evict(&ada.key, by_app(ada.now), options)
            .await
            .should_work("an announced sign-out")?;
        let announced = evicted
            .announced
            .ok_or_else(|| Violation::new("an announcement", "none"))?;
        holder.renews().await?;
        holder.has_heard(announced.id, &ada.key)?;
    }
    Ok(())
}

/// What was announced comes to every server that listens, the announcer's own included, as it was announced.
pub(crate) async fn an_announcement_comes_whole(setup: &Setup) -> Result<(), Violation> {
    let (signer, other) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let some = (0..100)
        .map(|_| random::account())
        .collect::<Result<_, _>>()?;
    for what in [
        Invalidation::Accounts(vec![random::account()?]),
        Invalidation::Accounts(some),
        Invalidation::Everything,
    ] {
        for by in [Some(&signer), None] {
            let announced = link_of(&*signer.store)?
                .announce(by.map(|by| by.id), what.clone())
                .await
                .should_work("announcing")?;
            for server in [&signer, &other] {
                server.renews().await?;
                let heard = server
                    .heard(announced.id)
                    .ok_or_else(|| Violation::new("the announcement", "silence"))?;
                should_equal(&heard.what, &what, "what was announced")?;
                should_equal(&heard.signer, &by.map(|by| by.id), "the signer")?;
            }
        }
    }
    Ok(())
}

/// An acknowledgement arrives complete at the server that announced, and at no other server.
pub(crate) async fn an_acknowledgement_comes_to_the_signer_alone(
    setup: &Setup,
) -> Result<(), Violation> {
    let (signer, holder) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let bystander = Linked::new(setup).await?;
    let announced = signer.announces(Invalidation::Everything).await?;
    setup
        .until_it_holds(async || Ok(signer.answers_to(announced.id).len() >= 3))
        .await?;
    let answers = signer.answers_to(announced.id);
    let expected = Acknowledgement {
        announcement: announced.id,
        server: holder.id,
        knows: Some(RegistryId::from_bytes(*announced.id.as_bytes())),
    };
    should_hold(
        answers.contains(&expected),
        "the holder's acknowledgement, as it was given",
        &format!("{answers:?}"),
    )?;
    for other in [&holder, &bystander] {
        // Whatever was on its way to it has come when its own has.
        let own = other.announces(Invalidation::Everything).await?;
        setup
            .until_it_holds(async || Ok(other.answers_to(own.id).len() >= 3))
            .await?;
        should_equal(
            &other.answers_to(announced.id).len(),
            &0,
            "acknowledgements of another's announcement",
        )?;
    }
    Ok(())
}

/// An eviction is announced also where it ended nothing: an earlier attempt, whose answer was lost, may have ended it.
pub(crate) async fn an_eviction_that_ends_nothing_is_announced(
    setup: &Setup,
) -> Result<(), Violation> {
    let (signer, holder) = (Linked::new(setup).await?, Linked::new(setup).await?);
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
        let options = EvictOptions::at(ada.now).announced_by(signer.id);
        let evicted = signer.store.evict(&ada.key, target, options).await;
        let evicted = evicted.should_work("an announced sign-out")?;
        should_hold(!evicted.ended, "a sign-out that ends nothing", "an end")?;
        let announced = evicted
            .announced
            .ok_or_else(|| Violation::new("an announcement", "none"))?;
        should_hold(
            ids.insert(announced.id),
            "an id of its own for each",
            "one that was used",
        )?;
        holder.renews().await?;
        holder.has_heard(announced.id, &ada.key)?;
    }
    let plain = EvictOptions::at(ada.now);
    let evicted = signer.store.evict(&ada.key, by_app(ada.now), plain).await;
    should_hold(
        evicted.should_work("a sign-out")?.announced.is_none(),
        "no announcement without a request for one",
        "one",
    )
}

/// The registry holds exactly the servers that have renewed and not left. A harness may have servers of its own there.
pub(crate) async fn the_registry_holds_who_has_a_lease(setup: &Setup) -> Result<(), Violation> {
    let (signer, holder) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let there = async || {
        let holders = signer.holders().await?;
        Ok::<_, Violation>(holders.iter().map(|h| h.server).collect::<BTreeSet<_>>())
    };
    let others = there().await?;
    let and_others = |servers: &[&Linked]| {
        let mut all = others.clone();
        all.extend(servers.iter().map(|server| server.id));
        all
    };
    should_hold(
        !others.contains(&signer.id) && !others.contains(&holder.id),
        "no holder that has never renewed",
        &format!("{others:?}"),
    )?;
    holder.renews().await?;
    holder.renews().await?;
    let expected = and_others(&[&holder]);
    should_equal(&there().await?, &expected, "holders after a renewal")?;
    signer.renews().await?;
    let expected = and_others(&[&signer, &holder]);
    should_equal(&there().await?, &expected, "holders after two renewals")?;
    let left = holder.connection.leave().await;
    left.should_work("giving the lease up")?;
    let expected = and_others(&[&signer]);
    should_equal(&there().await?, &expected, "holders after one left")
}

/// A reap removes a server unless it has renewed since the registry was read.
pub(crate) async fn a_reap_spares_who_renewed_meanwhile(setup: &Setup) -> Result<(), Violation> {
    let signer = Linked::new(setup).await?;
    let (silent, slow) = (Linked::new(setup).await?, Linked::new(setup).await?);
    silent.renews().await?;
    slow.renews().await?;
    let seen = signer.holders().await?;
    slow.renews().await?;
    let reaped = signer.connection.reap(&seen).await;
    reaped.should_work("removing silent servers")?;
    let left: Vec<_> = signer.holders().await?.iter().map(|h| h.server).collect();
    should_equal(&left, &vec![slow.id], "holders left")?;
    let reaped = signer.connection.reap(&signer.holders().await?).await;
    reaped.should_work("removing a silent server")?;
    should_equal(&signer.holders().await?.len(), &0, "holders left")
}

/// No renewal has the number of another: not after who renewed left, was removed, or connected anew.
pub(crate) async fn no_two_renewals_are_alike(setup: &Setup) -> Result<(), Violation> {
    let (signer, other) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let mut holder = Linked::new(setup).await?;
    let mut seen = HashSet::new();
    let mut fresh = async |server: &Linked| {
        server.renews().await?;
        let holders = signer.holders().await?;
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
                let reaped = signer.connection.reap(&signer.holders().await?).await;
                reaped.should_work("removing silent servers")?;
            }
            _ => holder = Linked::named(holder.id, setup.another_server().await?).await?,
        }
    }
    Ok(())
}

/// The registry keeps its id, for every server that asks, and while servers come and go.
pub(crate) async fn the_registry_keeps_its_id(setup: &Setup) -> Result<(), Violation> {
    let (signer, holder) = (Linked::new(setup).await?, Linked::new(setup).await?);
    let read = signer.connection.registry().await;
    let id = read.should_work("reading the registry's id")?;
    for server in [&holder, &signer, &holder] {
        should_equal(&server.renews().await?, &id, "the id that a renewal tells")?;
    }
    let announced = signer.announces(Invalidation::Everything).await?;
    should_equal(
        &announced.registry,
        &Some(id),
        "the id that an announcement over the signer's link tells",
    )?;
    for server in [&holder, &signer] {
        let left = server.connection.leave().await;
        left.should_work("giving the lease up")?;
    }
    let late = Linked::new(setup).await?;
    should_equal(&late.renews().await?, &id, "the id after all have left")
}

/// A connection either hears, or says that it is lost.
pub(crate) async fn a_lost_connection_says_so(setup: &Setup) -> Result<(), Violation> {
    let breakable = setup.breakable().await?;
    let holder = Linked::over(breakable.store.clone()).await?;
    let signer = Linked::new(setup).await?;
    holder.renews().await?;
    breakable.switch.cut().await;
    let announced = signer.announces(Invalidation::Everything).await?;
    if holder.connection.renew().await.is_ok() {
        return should_hold(
            holder.heard(announced.id).is_some(),
            "the announcement, by who renewed after it",
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
