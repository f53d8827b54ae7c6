use std::{thread, time::Duration};

use super::Options;
use crate::{
    fleet::{Design, Random},
    servers::Proxy,
};

/// What happens to the connection by which an app server hears of sign-outs, and to no other.
#[derive(Debug, Clone, Copy)]
enum BackplaneFault {
    Cut,
    /// Nothing passes, and nobody is told.
    Silent,
    Refused,
    LatePushes,
    /// Those of other connections are as late.
    LateReplies,
}

/// Which of these happen in a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackplaneFaults {
    which: &'static [BackplaneFault],
    /// Nothing else happens: what is to be seen is what these bring to light.
    pub(super) alone: bool,
    /// How long one lasts at the most, which is some leases.
    longest: Duration,
}

impl BackplaneFaults {
    /// None where nothing hangs on links.
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

    /// Lets one of them happen, and says which.
    pub(super) fn strike(&self, random: &mut Random, proxy: &Proxy) -> &'static str {
        let mut share =
            |of: Duration| of * u32::try_from(random.below(1_000)).unwrap_or_default() / 1_000;
        let time = self.longest / 4 + share(self.longest / 4 * 3);
        let late = share(self.longest / 4);
        match random.choose(self.which) {
            None | Some(BackplaneFault::Cut) => {
                proxy.cut_links();
                "cut of a backplane"
            }
            Some(BackplaneFault::Silent) => {
                proxy.freeze_links();
                thread::sleep(time);
                proxy.thaw_links();
                "silent link"
            }
            Some(BackplaneFault::Refused) => {
                proxy.refuse_links(true);
                thread::sleep(time);
                proxy.refuse_links(false);
                "link refused for a while"
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
