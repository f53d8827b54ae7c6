use redis::RedisResult;
use token_cache_core::{Result, backend::backoff};
use tokio::time::Instant;

use super::{
    ATTEMPTS, Client, Effect, PAUSE, Source,
    call::Call,
    connection::{Together, Wait},
    pool::{self, Line},
    reply::Reply,
    unconfirmed,
};
use crate::error::{Applied, classify, from_driver, timed_out};

/// An answer, and how many replicas have what it says; none where nobody waited for them.
pub(crate) struct Confirmed<T> {
    pub(crate) answer: T,
    pub(crate) replicas: Option<u32>,
}

impl Client {
    /// Sends a call, and waits until as many replicas have it as the durability asks for.
    ///
    /// Fewer of them in the operation's timeout are an error that may have been applied: it is.
    pub(crate) async fn confirmed(
        &self,
        operation: &'static str,
        effect: Effect,
        call: Call,
    ) -> Result<Confirmed<Reply>> {
        if self.replicas().is_none() {
            let answer = self.call(operation, effect, &call).await?;
            return Ok(Confirmed {
                answer,
                replicas: None,
            });
        }
        let Confirmed { answer, replicas } = self.together(operation, effect, &[call]).await?;
        let answer = answer
            .into_iter()
            .next()
            .unwrap_or_else(|| Err(super::unexpected(operation)))?;
        Ok(Confirmed { answer, replicas })
    }

    /// Sends calls that go to one node together, on a connection of their own.
    pub(crate) async fn together(
        &self,
        operation: &'static str,
        effect: Effect,
        calls: &[Call],
    ) -> Result<Confirmed<Vec<Result<Reply>>>> {
        let deadline = Instant::now() + self.operation_timeout();
        let mut ambiguous = false;
        let attempts = self.attempts_together(effect, calls, deadline, &mut ambiguous);
        let outcome = tokio::time::timeout_at(deadline, attempts).await;
        let marked = |error: token_cache_core::Error, ambiguous: bool| {
            if ambiguous && effect != Effect::Reads {
                error.maybe_applied()
            } else {
                error
            }
        };
        let Together { answers, replicas } = match outcome {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return Err(marked(from_driver(operation, error), ambiguous)),
            Err(_) => return Err(marked(timed_out(operation), ambiguous)),
        };
        if let Some(asked) = self.replicas()
            && effect != Effect::Reads
        {
            let have = replicas.unwrap_or(0);
            // What the server refused is an error of its own, and tells more.
            if have < asked && answers.iter().all(Result::is_ok) {
                return Err(unconfirmed(operation, asked, have));
            }
        }
        let answer = answers
            .into_iter()
            .map(|answer| {
                answer
                    .map(Reply)
                    .map_err(|error| from_driver(operation, error))
            })
            .collect();
        Ok(Confirmed { answer, replicas })
    }

    async fn attempts_together(
        &self,
        effect: Effect,
        calls: &[Call],
        deadline: Instant,
        ambiguous: &mut bool,
    ) -> RedisResult<Together> {
        let mut attempt = 0;
        loop {
            let (error, landed) = match self.dedicated().await {
                Err(error) => (error, false),
                Ok(mut taken) => {
                    // Until an answer says otherwise.
                    let earlier = std::mem::replace(ambiguous, true);
                    let wait =
                        self.replicas()
                            .filter(|_| effect != Effect::Reads)
                            .map(|replicas| Wait {
                                replicas,
                                millis: wait_millis(deadline),
                            });
                    let Line {
                        connection, loaded, ..
                    } = taken.line();
                    let sent = connection.send_together(calls, wait, loaded).await;
                    let refused = first_passing_refusal(&sent);
                    self.give_back(taken, sent.as_ref().err().or(refused.as_ref()));
                    let error = match (sent, refused) {
                        (Ok(answers), None) => return Ok(answers),
                        (Ok(_), Some(error)) | (Err(error), _) => error,
                    };
                    *ambiguous = earlier || classify(&error).applied == Applied::Maybe;
                    (error, *ambiguous)
                }
            };
            let class = classify(&error);
            attempt += 1;
            let pause = backoff(PAUSE, attempt);
            let again = class.passing && (effect != Effect::Once || !landed);
            if !again || attempt == ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(error);
            }
            tokio::time::sleep(pause).await;
        }
    }

    pub(super) async fn dedicated(&self) -> RedisResult<pool::Dedicated> {
        match (&self.dedicated, &self.source) {
            (Some(pool), _) | (None, Source::Pool(pool)) => pool.take().await,
            (None, Source::Shared(shared)) => shared
                .connection()
                .await
                .map(|(connection, _)| pool::Dedicated::shared(connection)),
        }
    }
}

/// A refusal of the whole node, such as by a replica: all calls are to be sent again.
fn first_passing_refusal(sent: &RedisResult<Together>) -> Option<redis::RedisError> {
    let Together { answers, .. } = sent.as_ref().ok()?;
    answers
        .iter()
        .filter_map(|answer| answer.as_ref().err())
        .find(|error| classify(error).passing)
        .cloned()
}

/// `WAIT` answers a little before our own patience ends; zero would be for ever.
fn wait_millis(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now());
    u64::try_from((left * 4 / 5).as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}
