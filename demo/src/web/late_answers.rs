use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

/// How much later than a sign-out the answers come in: the provider's own message about it, which comes at once, is over by then.
const AFTER_SIGN_OUT: Duration = Duration::from_millis(1_500);

/// The longest time that an answer is kept back without a sign-out. A refresh has 30 seconds.
const AT_MOST: Duration = Duration::from_secs(15);

/// Answers of the provider that are kept back until somebody has signed out: an answer that is late, at will.
#[derive(Default)]
pub(crate) struct LateAnswers(Mutex<Vec<Arc<LateAnswer>>>);

pub(crate) struct LateAnswer {
    arrived: watch::Sender<bool>,
    may_go_on: watch::Sender<bool>,
}

impl LateAnswers {
    pub(crate) fn keep_one_back(&self) -> Arc<LateAnswer> {
        let late = Arc::new(LateAnswer {
            arrived: watch::Sender::new(false),
            may_go_on: watch::Sender::new(false),
        });
        self.kept().push(Arc::clone(&late));
        late
    }

    /// Lets the answers through shortly after a sign-out.
    pub(crate) fn let_through(&self) {
        let kept = std::mem::take(&mut *self.kept());
        tokio::spawn(async move {
            sleep(AFTER_SIGN_OUT).await;
            for late in kept {
                late.may_go_on.send_replace(true);
            }
        });
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Arc<LateAnswer>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LateAnswer {
    /// Waits, when the answer has come in, until it may continue.
    pub(crate) async fn wait(&self) {
        self.arrived.send_replace(true);
        // It continues in the end, with or without a sign-out.
        let _ = timeout(AT_MOST, passed(&self.may_go_on)).await;
    }

    pub(crate) async fn arrived(&self) {
        passed(&self.arrived).await;
    }
}

async fn passed(gate: &watch::Sender<bool>) {
    // The sender is borrowed for as long as this waits, so the channel can't close.
    let _ = gate.subscribe().wait_for(|open| *open).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_is_kept_back_until_it_may_go_on() {
        let answers = LateAnswers::default();
        let late = answers.keep_one_back();
        let waiting = tokio::spawn({
            let late = Arc::clone(&late);
            async move { late.wait().await }
        });
        late.arrived().await;
        assert!(!waiting.is_finished());
        answers.let_through();
        waiting.await.unwrap();
    }
}
