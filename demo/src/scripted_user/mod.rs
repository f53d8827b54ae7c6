mod near_cache;

use std::time::{Duration, Instant};

use crate::{
    browser::{Browser, SentBack},
    caches::CacheKind,
    failure::Failure,
    fleet::{Fleet, Pending},
    message::{Request, Response},
    steps::{Cookie, StateCookie},
    story::{Act, ServerName, Step},
    verdict::{Deed, Outcome, WaitedFor},
};
use token_cache_dev_provider::DevelopmentProvider;

/// How long a user tries who is told to sign in once more.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Ada and her browsers, at the apps with one kind of cache.
pub(crate) struct ScriptedUser<'a> {
    fleet: &'a Fleet,
    kind: CacheKind,
    name: String,
    browser: Browser,
    cookie: Option<Cookie>,
    /// The access token of the last sign-in.
    token: Option<String>,
    /// All access tokens, in the order in which she met them.
    tokens: Vec<String>,
    refresh: Option<Pending>,
    /// The cookies of her other browser.
    other_browser: Option<(StateCookie, SentBack)>,
    /// The server whose link was cut.
    cut_off: Option<ServerName>,
}

impl<'a> ScriptedUser<'a> {
    /// `run` names this run, so that two on one store don't meet.
    pub(crate) fn new(fleet: &'a Fleet, kind: CacheKind, run: &str) -> Self {
        Self {
            fleet,
            kind,
            name: format!("ada-{kind:?}-{run}"),
            browser: Browser::new(),
            cookie: None,
            token: None,
            tokens: Vec::new(),
            refresh: None,
            other_browser: None,
            cut_off: None,
        }
    }

    pub(crate) async fn play(&mut self, step: &Step) -> Result<Deed, Failure> {
        let server = step.server;
        let happened = match step.act {
            Act::SignIn => self.sign_in(server, false).await?,
            Act::SignInAgain => self.sign_in_patiently(server).await?,
            Act::CallApi => {
                let cookie = self.cookie()?;
                self.ask(server, Request::CallApi { cookie }).await?
            }
            Act::CallApiFromNearCache => self.call_from_near_cache(server).await?,
            Act::CutBackplane => self.cut_backplane(server).await?,
            Act::StartRefresh => self.start_refresh(server).await?,
            Act::FinishRefresh => self.finish_refresh().await?,
            Act::LeaveToSignIn => {
                let (url, cookie) = self.redirect(server, false).await?;
                let sent_back = Browser::new().sign_in(&url, &self.name).await?;
                self.other_browser = Some((cookie, sent_back));
                Happened::new(Outcome::Redirected, None)
            }
            Act::ComeBackFromSignIn => {
                let (cookie, sent_back) = self.other_browser.take().ok_or_else(out_of_order)?;
                let request = finish_sign_in(cookie, sent_back);
                self.ask(server, request).await?
            }
            Act::SignOut => self.sign_out(server).await?,
        };
        let right = self.is_right(step, &happened);
        let Happened {
            outcome,
            token,
            waited,
        } = happened;
        Ok(Deed {
            outcome,
            token: token.map(|token| self.name_of(token)),
            right,
            waited,
        })
    }

    /// `at-1` and so on: what a token is called in the story.
    fn name_of(&mut self, token: String) -> String {
        let known = self.tokens.iter().position(|one| *one == token);
        let index = known.unwrap_or_else(|| {
            self.tokens.push(token);
            self.tokens.len() - 1
        });
        format!("at-{}", index + 1)
    }

    fn is_right(&self, step: &Step, happened: &Happened) -> bool {
        match happened.outcome {
            Outcome::Refused | Outcome::NoTokens => !step.ought_to_work(),
            Outcome::Called | Outcome::FromNearCache => {
                step.ought_to_work() && happened.token == self.token
            }
            Outcome::NotFromNearCache | Outcome::SignedOutTooEarly => false,
            _ => step.ought_to_work(),
        }
    }

    async fn sign_in(&mut self, server: ServerName, anew: bool) -> Result<Happened, Failure> {
        let (url, cookie) = self.redirect(server, anew).await?;
        let sent_back = self.browser.sign_in(&url, &self.name).await?;
        let request = finish_sign_in(cookie, sent_back);
        let response = self.fleet.server(server).ask(self.kind, request).await?;
        if let Response::SignedIn { cookie, token } = &response {
            self.cookie = Some(cookie.clone());
            self.token = Some(token.clone());
        }
        told(response)
    }

    /// Signs in, and tries again if that is refused: a sign-in in the same second as the provider's sign-out counts as earlier. Only this
    /// demo is that quick.
    async fn sign_in_patiently(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let since = Instant::now();
        loop {
            let told = self.sign_in(server, true).await?;
            if told.outcome != Outcome::Refused || since.elapsed() > PATIENCE {
                return Ok(told);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Returns the URL to which an app server sends a browser to sign in, and the state cookie.
    async fn redirect(
        &self,
        server: ServerName,
        anew: bool,
    ) -> Result<(String, StateCookie), Failure> {
        let request = Request::StartSignIn { anew };
        match self.fleet.server(server).ask(self.kind, request).await? {
            Response::Redirected { url, cookie } => Ok((url, cookie)),
            _ => Err(out_of_order()),
        }
    }

    /// At the provider, who tells the one server that is registered for it.
    async fn sign_out(&mut self, told: ServerName) -> Result<Happened, Failure> {
        let provider = self.provider();
        let before = provider.counts();
        self.browser.sign_out(provider.issuer()).await?;
        let after = provider.counts();
        if after.sign_outs == before.sign_outs {
            return Err(out_of_order());
        }
        if after.back_channel_ok == before.back_channel_ok {
            return Err(Failure::new(
                "the app did not take the logout token that the provider sent it",
            ));
        }
        // Asked first: each moment that passes makes it easier.
        let outcome = if self.may_still_serve().await? {
            Outcome::SignedOutTooEarly
        } else {
            Outcome::SignedOut
        };
        Ok(Happened {
            outcome,
            token: None,
            waited: self.waited(told).await?,
        })
    }

    /// Returns when the refresh has reached the provider, which keeps it waiting.
    async fn start_refresh(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let cookie = self.cookie()?;
        let request = Request::Refresh { cookie };
        self.provider().faults().hold_refreshes();
        let mut refresh = self.fleet.server(server).send(self.kind, request);
        tokio::select! {
            response = refresh.response() => told(response?),
            () = self.provider().faults().refresh_held() => {
                self.refresh = Some(refresh);
                Ok(Happened::new(Outcome::InFlight, None))
            }
        }
    }

    async fn finish_refresh(&mut self) -> Result<Happened, Failure> {
        let mut refresh = self.refresh.take().ok_or_else(out_of_order)?;
        self.provider().faults().release_refreshes();
        told(refresh.response().await?)
    }

    async fn ask(&self, server: ServerName, request: Request) -> Result<Happened, Failure> {
        let response = self.fleet.server(server).ask(self.kind, request).await?;
        told(response)
    }

    fn provider(&self) -> &'a DevelopmentProvider {
        self.fleet.provider(self.kind)
    }

    fn cookie(&self) -> Result<Cookie, Failure> {
        self.cookie.clone().ok_or_else(out_of_order)
    }
}

/// The result of a step, before it is judged.
struct Happened {
    outcome: Outcome,
    token: Option<String>,
    waited: Option<WaitedFor>,
}

impl Happened {
    const fn new(outcome: Outcome, token: Option<String>) -> Self {
        Self {
            outcome,
            token,
            waited: None,
        }
    }
}

fn told(response: Response) -> Result<Happened, Failure> {
    let (outcome, token) = match response {
        Response::Redirected { .. } => (Outcome::Redirected, None),
        Response::SignedIn { token, .. } => (Outcome::SignedIn, Some(token)),
        Response::Called { token, .. } => (Outcome::Called, Some(token)),
        Response::Refreshed { token } => (Outcome::Refreshed, Some(token)),
        Response::Refused => (Outcome::Refused, None),
        Response::NoTokens => (Outcome::NoTokens, None),
        Response::BackplaneCut(_) | Response::LeaseState(_) | Response::Waited(_) => {
            return Err(out_of_order());
        }
    };
    Ok(Happened::new(outcome, token))
}

fn finish_sign_in(cookie: StateCookie, sent_back: SentBack) -> Request {
    let SentBack { state, code } = sent_back;
    Request::FinishSignIn {
        cookie,
        state,
        code,
    }
}

/// An earlier step went wrong in a way that leaves this one without what it needs.
fn out_of_order() -> Failure {
    Failure::new("the story came apart: an earlier step did not give what a later one needs")
}
