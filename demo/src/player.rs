use std::time::{Duration, Instant};

use crate::{
    app_cache::Cookie,
    columns::Column,
    failure::Failure,
    fleet::{Fleet, Pending},
    message::{Request, Response},
    provider::Provider,
    story::{Act, ServerName, Step},
    verdict::{Deed, Outcome},
};

/// How long a user tries who is told to sign in once more.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(1);

/// Ada and her browsers, in one column.
pub(crate) struct Player<'a> {
    fleet: &'a Fleet,
    column: Column,
    subject: String,
    cookie: Option<Cookie>,
    /// The access token of the last sign-in.
    token: Option<String>,
    refresh: Option<Pending>,
    /// The state and the code that the other browser carries.
    other_browser: Option<(String, String)>,
}

impl<'a> Player<'a> {
    /// `run` names this run, so that two on one store don't meet.
    pub(crate) fn new(fleet: &'a Fleet, column: Column, run: &str) -> Self {
        Self {
            fleet,
            column,
            subject: format!("ada-{column:?}-{run}"),
            cookie: None,
            token: None,
            refresh: None,
            other_browser: None,
        }
    }

    pub(crate) async fn play(&mut self, step: &Step) -> Result<Deed, Failure> {
        let server = step.server;
        let happened = match step.act {
            Act::SignIn => {
                let code = self.provider().authenticate(&self.subject);
                self.sign_in(server, &code).await?
            }
            Act::SignInAgain => self.sign_in_patiently(server).await?,
            Act::CallApi => {
                let cookie = self.cookie()?;
                self.ask(server, Request::CallApi { cookie }).await?
            }
            Act::StartRefresh => self.start_refresh(server).await?,
            Act::FinishRefresh => self.finish_refresh().await?,
            Act::LeaveToSignIn => {
                let state = self.redirect(server).await?;
                let code = self.provider().authenticate(&self.subject);
                self.other_browser = Some((state, code));
                Happened::new(Outcome::Redirected, None)
            }
            Act::ComeBackFromSignIn => {
                let (state, code) = self.other_browser.take().ok_or_else(out_of_order)?;
                self.ask(server, Request::FinishSignIn { state, code })
                    .await?
            }
            Act::SignOut => {
                let cookie = self.cookie()?;
                self.ask(server, Request::SignOut { cookie }).await?
            }
        };
        let right = self.is_right(step, &happened);
        let Happened { outcome, token } = happened;
        Ok(Deed {
            outcome,
            token,
            right,
        })
    }

    fn is_right(&self, step: &Step, happened: &Happened) -> bool {
        match happened.outcome {
            Outcome::Refused | Outcome::NoTokens => !step.ought_to_work(),
            Outcome::Called => step.ought_to_work() && happened.token == self.token,
            _ => step.ought_to_work(),
        }
    }

    async fn sign_in(&mut self, server: ServerName, code: &str) -> Result<Happened, Failure> {
        let state = self.redirect(server).await?;
        let code = code.to_owned();
        let request = Request::FinishSignIn { state, code };
        let response = self.fleet.server(server).ask(self.column, request).await?;
        if let Response::SignedIn { cookie, token } = &response {
            self.cookie = Some(cookie.clone());
            self.token = Some(token.clone());
        }
        Ok(told(response))
    }

    /// A sign-in that starts in the same tick of the store's clock as the sign-out counts as earlier and is refused. Nobody
    /// is that quick but this demo, so it does what a user does then: it tries again.
    async fn sign_in_patiently(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let since = Instant::now();
        let code = self.provider().authenticate(&self.subject);
        loop {
            let told = self.sign_in(server, &code).await?;
            if told.outcome != Outcome::Refused || since.elapsed() > PATIENCE {
                return Ok(told);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn redirect(&self, server: ServerName) -> Result<String, Failure> {
        let request = Request::StartSignIn;
        match self.fleet.server(server).ask(self.column, request).await? {
            Response::Redirected { state } => Ok(state),
            _ => Err(out_of_order()),
        }
    }

    /// Returns when the refresh has reached the provider, which keeps it waiting.
    async fn start_refresh(&mut self, server: ServerName) -> Result<Happened, Failure> {
        let cookie = self.cookie()?;
        let request = Request::Refresh { cookie };
        let mut refresh = self.fleet.server(server).send(self.column, request);
        tokio::select! {
            response = refresh.response() => Ok(told(response?)),
            () = self.provider().refresh_arrived() => {
                self.refresh = Some(refresh);
                Ok(Happened::new(Outcome::InFlight, None))
            }
        }
    }

    async fn finish_refresh(&mut self) -> Result<Happened, Failure> {
        let mut refresh = self.refresh.take().ok_or_else(out_of_order)?;
        self.provider().let_refresh_through();
        Ok(told(refresh.response().await?))
    }

    async fn ask(&self, server: ServerName, request: Request) -> Result<Happened, Failure> {
        let response = self.fleet.server(server).ask(self.column, request).await?;
        Ok(told(response))
    }

    fn provider(&self) -> &'a Provider {
        self.fleet.provider(self.column)
    }

    fn cookie(&self) -> Result<Cookie, Failure> {
        self.cookie.clone().ok_or_else(out_of_order)
    }
}

/// What a server did, before it is judged.
struct Happened {
    outcome: Outcome,
    token: Option<String>,
}

impl Happened {
    const fn new(outcome: Outcome, token: Option<String>) -> Self {
        Self { outcome, token }
    }
}

fn told(response: Response) -> Happened {
    let (outcome, token) = match response {
        Response::Redirected { .. } => (Outcome::Redirected, None),
        Response::SignedIn { token, .. } => (Outcome::SignedIn, Some(token)),
        Response::Called { token } => (Outcome::Called, Some(token)),
        Response::Refreshed { token } => (Outcome::Refreshed, Some(token)),
        Response::SignedOut => (Outcome::SignedOut, None),
        Response::Refused => (Outcome::Refused, None),
        Response::NoTokens => (Outcome::NoTokens, None),
    };
    Happened::new(outcome, token)
}

/// An earlier step went wrong in a way that leaves this one without what it needs.
fn out_of_order() -> Failure {
    Failure::new("the story came apart: an earlier step did not give what a later one needs")
}
