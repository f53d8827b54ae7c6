use redis::{Cmd, ErrorKind, Pipeline, RedisResult, Value, aio::MultiplexedConnection};

use super::call::{Call, Script};

/// An open connection to one server. Clones share it.
#[derive(Clone)]
pub(crate) struct Connection(pub(super) MultiplexedConnection);

/// The arguments of `WAIT`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) millis: u64,
}

impl Wait {
    fn command(self) -> Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(self.replicas).arg(self.millis);
        command
    }
}

/// Returns the number of replicas in a reply to `WAIT`.
fn replicas(answer: Value) -> RedisResult<Option<u32>> {
    match answer.extract_error()? {
        Value::Int(replicas) => Ok(u32::try_from(replicas).ok()),
        _ => Ok(None),
    }
}

impl Connection {
    /// Sends a command.
    pub(super) async fn command(&mut self, command: &Cmd) -> RedisResult<Value> {
        self.0
            .send_packed_command(command)
            .await
            .and_then(Value::extract_error)
    }

    /// Sends a call. If the server does not have the script, loads it and sends the call again.
    pub(super) async fn send(&mut self, call: &Call) -> RedisResult<Value> {
        match (self.command(&call.to_send()).await, call.script) {
            (Err(error), Some(script)) if is_noscript(&error) => {
                Box::pin(self.load_and_send(script, call)).await
            }
            (answer, _) => answer,
        }
    }

    async fn load_and_send(&mut self, script: &Script, call: &Call) -> RedisResult<Value> {
        self.command(&script.load()).await?;
        self.command(&call.to_send()).await
    }

    /// Sends a call with `ASKING` to a node that imports its slot. Returns the reply, and the number of replicas that confirmed it if
    /// `wait` is
    /// set.
    #[cfg(feature = "cluster")]
    pub(super) async fn send_asking(
        &mut self,
        call: &Call,
        wait: Option<Wait>,
    ) -> RedisResult<(Value, Option<u32>)> {
        match (self.send_asking_once(call, wait).await, call.script) {
            (Err(error), Some(script)) if is_noscript(&error) => {
                self.command(&script.load()).await?;
                self.send_asking_once(call, wait).await
            }
            (answer, _) => answer,
        }
    }

    #[cfg(feature = "cluster")]
    async fn send_asking_once(
        &mut self,
        call: &Call,
        wait: Option<Wait>,
    ) -> RedisResult<(Value, Option<u32>)> {
        let mut pipeline = Pipeline::with_capacity(3);
        pipeline
            .cmd("ASKING")
            .add_command(call.to_send().into_owned());
        if let Some(wait) = wait {
            pipeline.add_command(wait.command());
        }
        let count = pipeline.len();
        let replies = self.0.send_packed_commands(&pipeline, 0, count).await?;
        let mut replies = replies.into_iter().skip(1);
        let answer = replies.next().ok_or_else(no_answer)?.extract_error()?;
        let replicas = replies.next().map(replicas).transpose()?.flatten();
        Ok((answer, replicas))
    }

    /// Sends calls in a pipeline, with a `WAIT` at the end if it is set.
    pub(super) async fn send_pipeline(
        &mut self,
        calls: &[Call],
        wait: Option<Wait>,
        loaded: &mut LoadedScripts,
    ) -> RedisResult<PipelineReply> {
        let sent = self.send_pipeline_once(calls, wait, loaded).await?;
        let is_missing = |answer: &RedisResult<Value>| answer.as_ref().is_err_and(is_noscript);
        if sent.replies.iter().any(is_missing) {
            loaded.0.clear();
            return self.send_pipeline_once(calls, wait, loaded).await;
        }
        Ok(sent)
    }

    async fn send_pipeline_once(
        &mut self,
        calls: &[Call],
        wait: Option<Wait>,
        loaded: &mut LoadedScripts,
    ) -> RedisResult<PipelineReply> {
        // Load the scripts first: after a `WAIT` there would be no time for a second attempt.
        let mut load: Vec<&'static Script> = Vec::new();
        for script in calls.iter().filter_map(|call| call.script) {
            if !loaded.has(script) && !load.iter().any(|other| std::ptr::eq(*other, script)) {
                load.push(script);
            }
        }
        let mut pipeline = Pipeline::with_capacity(load.len() + calls.len() + 1);
        for script in &load {
            pipeline.add_command(script.load());
        }
        for call in calls {
            pipeline.add_command(call.to_send().into_owned());
        }
        if let Some(wait) = wait {
            pipeline.add_command(wait.command());
        }
        let count = load.len() + calls.len() + usize::from(wait.is_some());
        let replies = self.0.send_packed_commands(&pipeline, 0, count).await?;
        loaded.0.extend(&load);
        let mut replies = replies.into_iter();
        for loaded in replies.by_ref().take(load.len()) {
            loaded.extract_error()?;
        }
        Ok(PipelineReply {
            replies: replies
                .by_ref()
                .take(calls.len())
                .map(Value::extract_error)
                .collect(),
            replicas: replies.next().map(replicas).transpose()?.flatten(),
        })
    }
}

/// The replies to a pipeline, one for each call, and the number of replicas that confirmed it.
pub(super) struct PipelineReply {
    pub(super) replies: Vec<RedisResult<Value>>,
    pub(super) replicas: Option<u32>,
}

/// The scripts that a connection has loaded on its server.
#[derive(Clone, Default)]
pub(super) struct LoadedScripts(Vec<&'static Script>);

impl LoadedScripts {
    fn has(&self, script: &'static Script) -> bool {
        self.0.iter().any(|loaded| std::ptr::eq(*loaded, script))
    }
}

fn is_noscript(error: &redis::RedisError) -> bool {
    error.kind() == ErrorKind::Server(redis::ServerErrorKind::NoScript)
}

#[cfg(feature = "cluster")]
fn no_answer() -> redis::RedisError {
    (ErrorKind::UnexpectedReturnType, "no answer").into()
}
