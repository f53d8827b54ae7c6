use std::{thread, time::Duration};

use super::Options;
use crate::{
    fleet::{Design, Random},
    servers::Proxy,
};

/// A fault of the backplane connection of an app server. Its other connections are not affected.
#[derive(Debug, Clone, Copy)]
enum BackplaneFault {
    Cut,
    /// No bytes pass, and neither side sees an error.
    Silent,
    Refused,
    LatePushes,
    /// Replies on other connections are delayed as much.
    LateReplies,
}

/// The backplane faults of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackplaneFaults {
    which: &'static [BackplaneFault],
    /// `true` if the run has no other faults. Every violation is then caused by these.
    pub(super) alone: bool,
    /// Maximum duration of a fault. It is a few leases.
    longest: Duration,
}

impl BackplaneFaults {
    /// Returns `None` if no app server of the run depends on a backplane.
    pub(super) fn of(options: &Options, lease: Duration) -> Option<Self> {
        use BackplaneFault::{Cut, LatePushes, LateReplies, Refused, Silent};
        let (which, alone): (&[_], _) = match options.design {
            Design::CachesWithoutLease => (&[Silent, Refused], true),
            Design::CountersReadLate => (&[LateReplies], true),
            _ if options.near_cache => (&[Cut, Silent, Refused, LatePushes, LateReplies], false),
            _ => return None,
        };
        let longest = 4 * lease;
        Some(Self {
            which,
            alone,
            longest,
        })
    }

    /// Causes one of the faults, and returns its name.
    pub(super) fn strike(&self, random: &mut Random, proxy: &Proxy) -> &'static str {
        let mut share =
            |of: Duration| of * u32::try_from(random.below(1_000)).unwrap_or_default() / 1_000;
        let time = self.longest / 4 + share(self.longest / 4 * 3);
        let late = share(self.longest / 4);
        match random.choose(self.which) {
            None | Some(BackplaneFault::Cut) => {
                proxy.cut_links();
                "backplane disconnected"
            }
            Some(BackplaneFault::Silent) => {
                proxy.freeze_links();
                thread::sleep(time);
                proxy.thaw_links();
                "silent backplane"
            }
            Some(BackplaneFault::Refused) => {
                proxy.refuse_links(true);
                thread::sleep(time);
                proxy.refuse_links(false);
                "backplane refused for a while"
            }
            Some(BackplaneFault::LatePushes) => {
                proxy.part_links(Duration::ZERO, late);
                thread::sleep(time);
                proxy.join_links();
                "late pushes"
            }
            Some(BackplaneFault::LateReplies) => {
                let late = late / 4;
                proxy.delay(late);
                proxy.part_links(late, Duration::ZERO);
                thread::sleep(time);
                proxy.delay(Duration::ZERO);
                proxy.join_links();
                "replies later than pushes"
            }
        }
    }
}
