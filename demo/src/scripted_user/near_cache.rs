use std::time::{Duration, Instant};

use super::{Happened, PAUSE, ScriptedUser, out_of_order, told};
use crate::{
    failure::Failure,
    message::{Request, Response},
    near_cache::{LeaseState, Source, Waited},
    story::ServerName,
    verdict::{Outcome, WaitedFor},
};

/// The longest time until a server uses its near cache: three seconds after its start, every other server knows that it has one.
const UNTIL_NEAR_CACHE: Duration = Duration::from_secs(15);

/// Steps that concern the servers' near caches.
impl ScriptedUser<'_> {
    /// Returns `true` if the server whose link was cut may still serve copies.
    pub(super) async fn may_still_serve(&self) -> Result<bool, Failure> {
        let Some(server) = self.cut_off else {
            return Ok(false);
        };
        let lease = self.lease(server).await?;
        Ok(lease.is_some_and(|lease| lease.may_serve))
    }

    /// Returns the wait of the sign-out on this server.
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
            let id = self.lease(server).await?.and_then(|lease| lease.id);
            if id.is_some_and(|id| ids.contains(&id)) {
                silent.push(server);
            }
        }
        Ok(Some(WaitedFor { ms, silent }))
    }

    async fn lease(&self, server: ServerName) -> Result<Option<LeaseState>, Failure> {
        let asked = self
            .fleet
            .server(server)
            .ask(self.kind, Request::LeaseState);
        match asked.await? {
            Response::LeaseState(lease) => Ok(lease),
            _ => Err(out_of_order()),
        }
    }

    /// Calls a server until it serves a copy. A server that has just started serves none, and the first call leaves one.
    pub(super) async fn call_from_near_cache(
        &self,
        server: ServerName,
    ) -> Result<Happened, Failure> {
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
                Some(Source::NearCache) => Outcome::FromNearCache,
                Some(Source::Store) if since.elapsed() > UNTIL_NEAR_CACHE => {
                    Outcome::NotFromNearCache
                }
                Some(Source::Store) => {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            return Ok(Happened::new(outcome, Some(token)));
        }
    }

    pub(super) async fn cut_backplane(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let asked = self
            .fleet
            .server(server)
            .ask(self.kind, Request::CutBackplane);
        let outcome = match asked.await? {
            Response::BackplaneCut(true) => {
                self.cut_off = Some(server);
                Outcome::BackplaneCut
            }
            Response::BackplaneCut(false) => Outcome::NoBackplane,
            _ => return Err(out_of_order()),
        };
        Ok(Happened::new(outcome, None))
    }
}
