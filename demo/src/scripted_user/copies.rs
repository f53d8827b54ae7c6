use std::time::{Duration, Instant};

use super::{Happened, PAUSE, ScriptedUser, out_of_order, told};
use crate::{
    copies::{Holder, Source, Waited},
    failure::Failure,
    message::{Request, Response},
    story::ServerName,
    verdict::{Outcome, WaitedFor},
};

/// How long it may take until a server serves copies: three seconds after its start, when every other knows that some are kept.
const UNTIL_COPIES: Duration = Duration::from_secs(15);

/// What has to do with the servers' local copies.
impl ScriptedUser<'_> {
    /// Whether the server whose link was cut may serve copies.
    pub(super) async fn may_still_serve(&self) -> Result<bool, Failure> {
        let Some(server) = self.cut_off else {
            return Ok(false);
        };
        let holder = self.holder(server).await?;
        Ok(holder.is_some_and(|holder| holder.may_serve))
    }

    /// What the sign-out on this server waited for.
    pub(super) async fn waited(&self, server: ServerName) -> Result<Option<WaitedFor>, Failure> {
        let asked = self.fleet.server(server).ask(self.kind, Request::Waited);
        let Response::Waited(waited) = asked.await? else {
            return Err(out_of_order());
        };
        let Some(Waited { ms, silent: ids }) = waited else {
            return Ok(None);
        };
        let mut silent = Vec::new();
        for server in [ServerName::A, ServerName::B, ServerName::C] {
            let id = self.holder(server).await?.and_then(|holder| holder.id);
            if id.is_some_and(|id| ids.contains(&id)) {
                silent.push(server);
            }
        }
        Ok(Some(WaitedFor { ms, silent }))
    }

    async fn holder(&self, server: ServerName) -> Result<Option<Holder>, Failure> {
        let asked = self.fleet.server(server).ask(self.kind, Request::Holder);
        match asked.await? {
            Response::Holder(holder) => Ok(holder),
            _ => Err(out_of_order()),
        }
    }

    /// Calls a server until it serves a copy. A server that has just started serves none, and the first call leaves one.
    pub(super) async fn call_from_copy(&self, server: ServerName) -> Result<Happened, Failure> {
        let cookie = self.cookie()?;
        let since = Instant::now();
        loop {
            let request = Request::CallApi {
                cookie: cookie.clone(),
            };
            let response = self.fleet.server(server).ask(self.kind, request).await?;
            let Response::Called { token, from } = response else {
                return told(response);
            };
            let outcome = match from {
                None => Outcome::Called,
                Some(Source::OwnCopy) => Outcome::FromCopy,
                Some(Source::Store) if since.elapsed() > UNTIL_COPIES => Outcome::NotFromCopy,
                Some(Source::Store) => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            return Ok(Happened::new(outcome, Some(token)));
        }
    }

    pub(super) async fn cut_link(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let asked = self.fleet.server(server).ask(self.kind, Request::CutLink);
        let outcome = match asked.await? {
            Response::LinkCut(true) => {
                self.cut_off = Some(server);
                Outcome::LinkCut
            }
            Response::LinkCut(false) => Outcome::NoLink,
            _ => return Err(out_of_order()),
        };
        Ok(Happened::new(outcome, None))
    }
}
