//! Stores that are broken on purpose, one fault in each type: each must be caught, by the check that is meant for it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod backplane;
mod bent_connection;
mod broken;
mod broken_backplane;
mod bytes;
mod effects;
mod entries;
mod fault;
mod isolation;
mod lifetimes;
mod limits;
mod locks;
mod namespace;
mod not_before;
mod remembers_creations;
mod sid_index;
mod sign_ins;
mod sign_outs;
mod silent;
mod stores_what_it_refuses;

use std::sync::Arc;

use token_cache_conformance::{CHECKS, Check, Harness, Outcome, Violation};

use self::{
    broken::Workshop,
    bytes::{ComparesAFewBytes, IgnoresAByte},
    effects::{
        EndsAMillisecondMore, EvictsOneByOne, LooksBeforeItSetsNotBefore, PointsAlthoughItRefuses,
        PublishesFirst, ReleasesFirst, SetsNotBeforeLast, SupersedesBeforeItRefuses,
        UpdatesWhatIsNotThere,
    },
    fault::Healthy,
    isolation::MixesNamespaces,
    lifetimes::{
        ClearsNotBefore, CountsFromTheCutoff, DropsForever, FreesLocksEarly, FreesLocksLate,
        KeepsNotBeforeBriefly, MisjudgesLateness, NeverExtends, ScalesNotBefore, TellsWholeSeconds,
    },
    limits::{
        AnswersAtMost, EndsAtMost, KeepsAtMost, ListsConnectedHolders, ListsHoldersAtMost,
        SetsNotBeforeOfAtMost, SupersedesAtMost,
    },
    remembers_creations::{ForgetsWhatItRemoves, RemembersCreations, RemembersVersionsAlone},
    silent::{BlocksItsThread, NeverAnswers},
    stores_what_it_refuses::StoresWhatItRefuses,
};

fn of_name(name: &str) -> &'static Check {
    let mut checks = CHECKS.iter();
    checks
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("there is no check `{name}`"))
}

fn runtime() -> tokio::runtime::Runtime {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build().unwrap()
}

fn run(name: &str, harness: Arc<dyn Harness>) -> Result<Outcome, Violation> {
    runtime().block_on(of_name(name).run_on(harness))
}

/// How often a check may be run on a broken store until it finds the fault. Some checks make random calls, and one run can miss the fault.
const RUNS: usize = 32;

/// The check meant for a fault finds it, and finds nothing in the same store without it.
fn is_caught(name: &str, broken: &Arc<dyn Harness>) {
    if let Err(violation) = run(name, Workshop::<Healthy>::open()) {
        panic!("`{name}` finds fault with a healthy store: {violation}");
    }
    let mut runs = (0..RUNS).map(|_| run(name, Arc::clone(broken)));
    match runs.find_map(Result::err) {
        None => panic!("`{name}` finds nothing wrong in {RUNS} runs"),
        Some(violation) => assert!(
            !violation.ran_out_of_time(),
            "`{name}` only ran out of time: {violation}"
        ),
    }
}

macro_rules! caught {
    ($($name:ident: $fault:ty, by $check:ident;)*) => {
        $(
            #[test]
            fn $name() {
                is_caught(stringify!($check), &Workshop::<$fault>::open());
            }
        )*
    };
}

caught! {
    always_ended: sign_outs::AlwaysEnded, by ending_nothing_is_reported;
    publishes_only_what_ended: backplane::PublishesOnlyWhatEnded, by an_eviction_that_ends_nothing_is_published;
    publishes_late: backplane::PublishesLate, by a_renewal_comes_after_what_was_published;
    publishes_the_first: backplane::PublishesTheFirst, by an_invalidation_message_arrives_complete;
    answers_with_its_not_before: not_before::AnswersWithItsNotBefore, by a_sid_with_a_not_before_time_answers_again;
    batches_without_not_before: not_before::BatchesWithoutNotBefore, by a_batch_evicts_each_of_its_accounts;
    believes_the_future: sign_outs::BelievesTheFuture, by a_session_of_the_future_escapes_no_sign_out;
    checks_then_writes: entries::ChecksThenWrites, by a_sign_out_is_final_while_many_write;
    counts_all_alike: sign_ins::CountsAllAlike, by each_kind_of_session_is_counted_apart;
    counts_from_one: backplane::CountsFromOne, by no_two_renewals_are_alike;
    displaces_before_it_refuses: sign_ins::DisplacesBeforeItRefuses, by a_refused_sign_in_changes_nothing;
    ends_newer_sessions: sign_outs::EndsNewerSessions, by a_delayed_eviction_spares_newer_sessions;
    ends_other_sids: sign_outs::EndsOtherSids, by an_eviction_by_sid_ends_the_sessions_with_that_sid;
    ends_the_account: locks::EndsTheAccount, by a_refused_refresh_ends_its_session_alone;
    ends_whatever_the_version: locks::EndsWhateverTheVersion, by a_refusal_of_another_version_ends_nothing;
    evicts_one_session: sign_outs::EvictsOneSession, by an_eviction_of_an_account_ends_all_its_sessions;
    forgets_ended_sids: sid_index::ForgetsEndedSids, by a_sid_ended_forever_stays_ended;
    forgets_late_sign_ins: not_before::ForgetsLateSignIns, by a_sign_in_overtaken_by_the_app_is_refused;
    forgets_sessions_without_sid: not_before::ForgetsSessionsWithoutSid, by an_overtaken_sign_in_without_sid_is_refused;
    gives_locks_to_all: locks::GivesLocksToAll, by a_lock_has_one_holder;
    has_one_clock: not_before::HasOneClock, by each_clock_counts_its_own_times;
    has_one_not_before: not_before::HasOneNotBefore, by one_clocks_not_before_time_does_not_replace_the_others;
    ignores_entry_expiry: entries::IgnoresEntryExpiry, by an_entry_is_a_miss_from_its_expiry_on;
    ignores_session_end: entries::IgnoresSessionEnd, by a_session_is_over_from_its_end_on;
    ignores_the_limit: sign_ins::IgnoresTheLimit, by the_oldest_session_ends_at_the_limit;
    ignores_versions: entries::IgnoresVersions, by a_write_over_a_version_replaces_only_that;
    keeps_background_sessions: sid_index::KeepsBackgroundSessions, by a_background_session_ends_with_its_session;
    keeps_the_superseded: sign_ins::KeepsTheSuperseded, by superseded_sessions_are_removed_by_name;
    keeps_servers_that_left: backplane::KeepsServersThatLeft, by the_registry_holds_every_lease_holder;
    knows_one_account_a_sid: sid_index::KnowsOneAccountASid, by several_accounts_under_one_sid_are_all_found;
    lands_late: sign_ins::LandsLate, by a_sign_in_past_its_time_is_refused;
    releases_for_any_owner: locks::ReleasesForAnyOwner, by only_the_holder_releases_a_lock;
    lets_ended_issuers_in: not_before::LetsEndedIssuersIn, by an_issuers_not_before_time_refuses_what_it_overtook;
    lets_entries_end_all: entries::LetsEntriesEndAll, by a_short_entry_takes_no_other_along;
    lists_one_page: sid_index::ListsOnePage, by every_account_is_streamed;
    looks_then_ends: locks::LooksThenEnds, by a_write_that_races_with_a_refusal_is_not_lost;
    lowers_not_before: not_before::LowersNotBefore, by a_late_eviction_lowers_no_not_before_time;
    sets_not_before_of_known_accounts_only: not_before::SetsNotBeforeOfKnownAccountsOnly, by an_unknown_account_has_a_not_before_time_too;
    mixes_accounts: isolation::MixesAccounts, by accounts_are_apart;
    mixes_entries: isolation::MixesEntries, by entries_are_apart;
    mixes_issuers: isolation::MixesIssuers, by one_subject_at_two_issuers_is_two_accounts;
    mixes_sessions: isolation::MixesSessions, by sessions_are_apart;
    never_says_it_is_lost: backplane::NeverSaysItIsLost, by a_lost_connection_says_so;
    reads_then_writes: entries::ReadsThenWrites, by of_racing_conditional_writes_one_is_stored;
    reaps_every_server: backplane::ReapsEveryServer, by a_reap_spares_servers_that_renewed_meanwhile;
    renames_its_registry: backplane::RenamesItsRegistry, by the_registry_keeps_its_id;
    resurrects: entries::Resurrects, by a_write_after_a_sign_out_is_refused;
    serves_cached_reads: entries::ServesCachedReads, by a_sign_out_is_seen_by_every_server_at_once;
    shortens_its_index: sid_index::ShortensItsIndex, by the_index_outlives_its_longest_session;
    spares_equal_times: sign_outs::SparesEqualTimes, by equal_times_count_as_before;
    spares_sessions_without_sid: sign_outs::SparesSessionsWithoutSid, by sub_and_sid_end_sessions_with_that_sid_and_without_any;
    swallows_failed_sign_outs: sign_outs::SwallowsFailedSignOuts, by a_failed_sign_out_is_an_error;
    swallows_refusals: entries::SwallowsRefusals, by a_write_after_a_new_sign_in_is_refused;
    takes_any_record: namespace::TakesAnyRecord, by the_record_changes_only_from_what_was_expected;
    takes_empty_for_a_miss: entries::TakesEmptyForAMiss, by an_empty_value_is_a_hit;
    takes_errors_for_misses: entries::TakesErrorsForMisses, by a_read_of_an_unreachable_store_is_no_miss;
    takes_errors_for_sign_outs: sign_outs::TakesErrorsForSignOuts, by a_failed_sign_in_is_no_sign_out;
    acknowledges_to_every_server: backplane::AcknowledgesToEveryServer, by an_acknowledgement_comes_to_the_origin_alone;
    turns_its_clock_back: namespace::TurnsItsClockBack, by the_clock_advances;

    forgets_its_creations: RemembersCreations<0>, by a_late_copy_of_a_creation_brings_nothing_back;
    forgets_expired_creations: RemembersCreations<0>, by a_late_copy_of_an_expired_creation_is_refused;
    forgets_what_it_removes: ForgetsWhatItRemoves, by a_late_copy_of_a_creation_brings_nothing_back;
    remembers_one_creation: RemembersCreations<1>, by a_late_copy_of_a_creation_brings_nothing_back;
    remembers_one_creation_too_few: RemembersCreations<63>, by the_last_creations_are_remembered;
    remembers_versions_alone: RemembersVersionsAlone, by a_late_copy_of_a_creation_brings_nothing_back;
    forgets_creations_in_any_order: RemembersCreations<0>, by any_calls_are_answered_as_the_contract_says;
    compares_four_bytes: ComparesAFewBytes<0, 4>, by every_byte_of_a_version_counts;
    compares_seven_bytes: ComparesAFewBytes<0, 7>, by every_byte_of_a_version_counts;
    compares_the_last_seven_bytes: ComparesAFewBytes<1, 8>, by every_byte_of_a_version_counts;
    compares_seven_bytes_of_a_spent_version: ComparesAFewBytes<0, 7>, by every_byte_of_a_spent_version_counts;
    ignores_the_last_byte_of_an_issuer: IgnoresAByte<'i', 15>, by every_byte_of_an_account_counts;
    ignores_the_first_byte_of_an_issuer: IgnoresAByte<'i', 0>, by every_byte_of_an_issuer_counts;
    ignores_the_last_byte_of_a_subject: IgnoresAByte<'u', 15>, by every_byte_of_an_account_counts;
    ignores_the_last_byte_of_a_session: IgnoresAByte<'s', 15>, by every_byte_of_a_session_counts;
    ignores_a_byte_of_a_session: IgnoresAByte<'s', 7>, by every_byte_of_a_session_counts;
    ignores_the_last_byte_of_a_sid: IgnoresAByte<'p', 15>, by every_byte_of_a_sid_counts;
    ignores_the_last_byte_of_an_entry: IgnoresAByte<'e', 15>, by every_byte_of_an_entry_counts;
    ignores_the_last_byte_of_a_background_session: IgnoresAByte<'x', 15>, by every_byte_of_a_background_session_counts;
    ignores_the_last_byte_of_an_owner: IgnoresAByte<'o', 15>, by every_byte_of_a_lock_owner_counts;
    ignores_a_byte_of_an_owner: IgnoresAByte<'o', 4>, by every_byte_of_a_lock_owner_counts;
    stores_what_it_refuses: StoresWhatItRefuses<'w'>, by any_calls_are_answered_as_the_contract_says;
    stores_the_value_that_it_refuses: StoresWhatItRefuses<'v'>, by any_calls_are_answered_as_the_contract_says;
    stores_the_expiry_that_it_refuses: StoresWhatItRefuses<'x'>, by any_calls_are_answered_as_the_contract_says;
    removes_where_it_refuses: StoresWhatItRefuses<'d'>, by any_calls_are_answered_as_the_contract_says;
    stores_what_it_refuses_and_releases: StoresWhatItRefuses<'o'>, by any_calls_are_answered_as_the_contract_says;
    updates_what_is_not_there: UpdatesWhatIsNotThere, by any_calls_are_answered_as_the_contract_says;

    publishes_first: PublishesFirst, by an_eviction_comes_before_its_invalidation_message;
    evicts_one_by_one: EvictsOneByOne, by an_eviction_ends_all_at_once;
    sets_not_before_last: SetsNotBeforeLast, by sign_ins_and_an_eviction_meet;
    releases_first: ReleasesFirst, by a_write_back_frees_its_lock_last;
    looks_before_it_sets_not_before: LooksBeforeItSetsNotBefore, by a_sign_out_by_sid_and_a_sign_in_meet;
    supersedes_before_it_refuses: SupersedesBeforeItRefuses, by what_is_refused_changes_nothing;
    points_although_it_refuses: PointsAlthoughItRefuses, by what_is_refused_changes_nothing;
    ends_a_millisecond_more: EndsAMillisecondMore, by a_sign_out_ends_no_neighbour;

    ends_100_sessions_of_an_account: EndsAtMost<'a', 100>, by an_account_may_have_any_number_of_sessions;
    ends_1000_sessions_of_an_account: EndsAtMost<'a', 1000>, by an_account_may_have_any_number_of_sessions;
    ends_10_sessions_of_a_sid: EndsAtMost<'s', 10>, by a_sid_may_have_any_number_of_sessions;
    ends_1000_sessions_of_a_sid: EndsAtMost<'s', 1000>, by a_sid_may_have_any_number_of_sessions;
    ends_1_session_without_sid: EndsAtMost<'u', 1>, by any_number_of_sessions_without_sid_end;
    ends_256_sessions_without_sid: EndsAtMost<'u', 256>, by any_number_of_sessions_without_sid_end;
    supersedes_100_sessions: SupersedesAtMost<100>, by a_sign_in_ends_any_number_of_sessions;
    lists_100_sessions: AnswersAtMost<'l', 100>, by a_sid_may_have_any_number_of_sessions;
    lists_1000_sessions: AnswersAtMost<'l', 1000>, by a_sid_may_have_any_number_of_sessions;
    finds_10_accounts_of_a_sid: AnswersAtMost<'a', 10>, by a_sid_may_have_any_number_of_accounts;
    finds_1000_accounts_of_a_sid: AnswersAtMost<'a', 1000>, by a_sid_may_have_any_number_of_accounts;
    lists_512_accounts: AnswersAtMost<'p', 512>, by any_number_of_accounts_are_listed_and_evicted;
    keeps_10_background_sessions: AnswersAtMost<'e', 10>, by a_sid_may_have_any_number_of_sessions;
    keeps_512_background_sessions: AnswersAtMost<'e', 512>, by a_sid_may_have_any_number_of_sessions;
    keeps_64_entries: KeepsAtMost<'e', 64>, by a_session_may_have_any_number_of_entries;
    keeps_1000_entries: KeepsAtMost<'e', 1000>, by a_session_may_have_any_number_of_entries;
    keeps_128_locks: KeepsAtMost<'l', 128>, by a_session_may_have_any_number_of_entries;
    keeps_1000_sids: KeepsAtMost<'p', 1000>, by any_number_of_sids_lead_to_their_accounts;
    keeps_1000_issuers: KeepsAtMost<'i', 1000>, by any_number_of_sign_outs_are_kept;
    sets_not_before_of_1000_accounts_of_a_batch: SetsNotBeforeOfAtMost<1000>, by any_number_of_accounts_are_listed_and_evicted;
    lists_2_lease_holders: ListsHoldersAtMost<2>, by an_invalidation_message_reaches_every_lease_holder;
    lists_1000_lease_holders: ListsHoldersAtMost<1000>, by an_invalidation_message_reaches_every_lease_holder;
    lists_connected_lease_holders: ListsConnectedHolders, by an_invalidation_message_reaches_every_lease_holder;

    keeps_not_before_for_2_seconds: KeepsNotBeforeBriefly<'a', 2_000>, by a_not_before_time_of_half_an_hour_lives_to_its_end;
    keeps_not_before_for_10_seconds: KeepsNotBeforeBriefly<'a', 10_000>, by a_not_before_time_of_half_an_hour_lives_to_its_end;
    keeps_not_before_for_a_minute: KeepsNotBeforeBriefly<'a', 60_000>, by a_not_before_time_of_half_an_hour_lives_to_its_end;
    keeps_not_before_of_sids_for_a_minute: KeepsNotBeforeBriefly<'p', 60_000>, by a_not_before_time_of_half_an_hour_lives_to_its_end;
    keeps_not_before_of_issuers_for_a_minute: KeepsNotBeforeBriefly<'i', 60_000>, by a_not_before_time_of_half_an_hour_lives_to_its_end;
    keeps_not_before_for_nine_tenths: ScalesNotBefore<90>, by a_not_before_ends_to_the_millisecond;
    keeps_not_before_for_longer: ScalesNotBefore<110>, by a_not_before_ends_to_the_millisecond;
    counts_from_the_cutoff: CountsFromTheCutoff, by a_not_before_ends_to_the_millisecond;
    never_extends_a_not_before_time: NeverExtends, by a_later_sign_out_extends_a_not_before;
    clears_not_before_of_an_account: ClearsNotBefore<'a'>, by a_newer_sign_in_clears_no_not_before;
    clears_not_before_of_a_sid: ClearsNotBefore<'p'>, by a_newer_sign_in_clears_no_not_before;
    drops_forever: DropsForever, by a_sid_ended_forever_outlives_its_other_not_before_time;
    tells_whole_seconds: TellsWholeSeconds, by the_clock_is_as_precise_as_it_claims;
    frees_locks_a_millisecond_early: FreesLocksEarly<1, 100>, by a_lock_is_held_for_its_lease_to_the_millisecond;
    frees_locks_20_milliseconds_early: FreesLocksEarly<20, 100>, by a_lock_is_held_for_its_lease_to_the_millisecond;
    frees_locks_at_nine_tenths: FreesLocksEarly<0, 90>, by a_lock_is_held_for_its_lease_to_the_millisecond;
    frees_locks_late: FreesLocksLate<4>, by a_lock_is_held_for_its_lease_to_the_millisecond;
    takes_late_requests: MisjudgesLateness<true, 5>, by a_request_is_late_to_the_millisecond;
    refuses_requests_in_time: MisjudgesLateness<false, 5>, by a_request_is_late_to_the_millisecond;
}

/// A store that never answers ends neither a check nor a run.
#[test]
fn a_store_that_never_answers_hangs_nothing() {
    for silent in [
        Workshop::<NeverAnswers>::open(),
        Workshop::<BlocksItsThread>::open(),
    ] {
        let check = of_name("accounts_are_apart");
        let runtime = runtime();
        let limit = std::time::Duration::from_millis(300);
        let met = runtime.block_on(check.run_within(limit, silent));
        runtime.shutdown_background();
        assert!(met.is_err_and(|violation| violation.ran_out_of_time()));
    }
}

#[test]
fn mixes_namespaces() {
    let broken: Arc<dyn Harness> = Arc::new(MixesNamespaces::default());
    is_caught("namespaces_are_apart", &broken);
}
