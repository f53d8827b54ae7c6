//! Random calls of what a store may lack: refresh locks and background sessions.

use token_cache_core::{AcquireOptions, Acquired, BackgroundSession, EvictOptions, ReadOptions};

use crate::{
    Setup, Violation,
    assertions::Assertions,
    random::{self},
};

use super::{HOUR, Round, answer, as_said};

impl Round<'_> {
    pub(super) async fn locks(&mut self, setup: &Setup, which: usize) -> Result<(), Violation> {
        let locks = setup.store();
        let at = self.at(which)?;
        let owner = self.owners[self.dice.below(2)];
        let seen = match self.accounts[which]
            .1
            .read(at.session_id(), at.name(), self.now)
        {
            Ok(Some(entry)) if self.dice.below(4) > 0 => Some(entry.version()),
            Ok(None) => None,
            _ => Some(self.seen_version()),
        };
        match self.dice.below(10) {
            0..6 => {
                self.log
                    .push(format!("{which}: acquire {at:?} {owner:?} {seen:?}"));
                let mut options = AcquireOptions::new(owner, HOUR, self.now);
                options.seen = seen;
                let acquired = locks.acquire(&at, options).await;
                let acquired = answer(acquired, "asking for a lock")?;
                if let Ok(Acquired::Busy(left)) = &acquired
                    && *left > HOUR
                {
                    return Err(Violation::new("at most an hour left", format!("{left:?}")));
                }
                let model = &mut self.accounts[which].1;
                let right =
                    model.acquired(at.session_id(), at.name(), owner, seen, self.now, &acquired);
                as_said(&right, &true, &format!("whether {acquired:?} is right"))
            }
            6..8 => {
                self.log.push(format!("{which}: release {at:?} {owner:?}"));
                let released = locks.release(&at, &owner).await;
                released.should_work("a release")?;
                let model = &mut self.accounts[which].1;
                model.release(at.session_id(), at.name(), owner);
                Ok(())
            }
            _ => {
                let version = seen.unwrap_or_else(|| self.seen_version());
                self.log.push(format!("{which}: end {at:?} if {version:?}"));
                let options = EvictOptions::at(self.now);
                let ended = locks.end_if_version(&at, version, options).await;
                let ended = answer(ended, "a refusal")?;
                let model = &mut self.accounts[which].1;
                let expected = model.end_if_version(at.session_id(), at.name(), version, self.now);
                as_said(&ended, &expected, "ended by a refusal")
            }
        }
    }

    pub(super) async fn background_sessions(
        &mut self,
        setup: &Setup,
        which: usize,
    ) -> Result<(), Violation> {
        let background_sessions = setup.store();
        let name = self.background_sessions[self.dice.below(2)];
        let options = ReadOptions::at(self.now);
        if self.dice.below(2) == 0 {
            let session_id = self.session_id(which)?;
            self.log
                .push(format!("{which}: keep {:?}", session_id.as_bytes()));
            let sealed = random::bytes::<24>()?[..self.dice.below(24)].to_vec();
            let background_session = BackgroundSession::new(session_id, sealed);
            let (ada, model) = &mut self.accounts[which];
            let kept = background_sessions
                .keep(&ada.key, &name, background_session.clone(), options)
                .await;
            let kept = answer(kept, "keeping a background session")?;
            as_said(
                &kept,
                &model.keep(name, &background_session, self.now),
                "keeping",
            )?;
        }
        let (ada, model) = &self.accounts[which];
        let found = background_sessions.find(&ada.key, &name, options).await;
        let found = found.should_work("finding a background session")?;
        let expected = model.find(&name, self.now);
        let session_ids = |found: &[BackgroundSession]| -> Vec<_> {
            let parts = found
                .iter()
                .map(|one| (*one.session_id.as_bytes(), one.sealed.clone()));
            parts.collect()
        };
        as_said(
            &session_ids(&found),
            &session_ids(&expected),
            "the background sessions",
        )
    }
}
