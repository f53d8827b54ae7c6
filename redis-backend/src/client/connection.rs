use redis::{RedisResult, Value, aio::MultiplexedConnection};

use super::call::{Call, Script};

/// An open connection. Clones share it.
#[derive(Clone)]
pub(crate) enum Connection {
    /// To one server.
    Node(MultiplexedConnection),
    /// To the nodes of a cluster.
    #[cfg(feature = "cluster")]
    Cluster(super::cluster::ClusterConnection),
}

/// How many replicas to wait for, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) replicas: u32,
    pub(super) millis: u64,
}

impl Wait {
    pub(super) fn command(self) -> redis::Cmd {
        let mut command = redis::cmd("WAIT");
        command.arg(self.replicas).arg(self.millis);
        command
    }
}

/// What `WAIT` answers.
pub(super) fn replicas(answer: Value) -> RedisResult<Option<u32>> {
    match answer.extract_error()? {
        Value::Int(replicas) => Ok(u32::try_from(replicas).ok()),
        _ => Ok(None),
    }
}

impl Connection {
    /// A cluster's comes back node by node: opened anew as a whole, it would wait for a node that hangs.
    pub(super) fn heals_itself(&self) -> bool {
        match self {
            Self::Node(_) => false,
            #[cfg(feature = "cluster")]
            Self::Cluster(_) => true,
        }
    }

    /// Sends a call; a script that the server doesn't know is loaded first.
    pub(super) async fn send(&mut self, call: &Call) -> RedisResult<Value> {
        match (self.send_once(call).await, call.script) {
            (Err(error), Some(script)) if is_unknown_script(&error) => {
                Box::pin(self.load_and_send(script, call)).await
            }
            (answer, _) => answer,
        }
    }

    async fn load_and_send(&mut self, script: &Script, call: &Call) -> RedisResult<Value> {
        self.load(script.load(), &call.key).await?;
        self.send_once(call).await
    }

    async fn send_once(&mut self, call: &Call) -> RedisResult<Value> {
        match self {
            Self::Node(node) => node
                .send_packed_command(&call.to_send())
                .await
                .and_then(Value::extract_error),
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.send(call).await,
        }
    }

    async fn load(&mut self, load: redis::Cmd, key: &[u8]) -> RedisResult<Value> {
        match self {
            Self::Node(node) => {
                let _ = key;
                node.send_packed_command(&load)
                    .await
                    .and_then(Value::extract_error)
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => cluster.send_to_slot(load, key).await,
        }
    }

    /// Sends calls together, all to the node of the first one, and waits for replicas at the end.
    pub(super) async fn send_together(
        &mut self,
        calls: &[Call],
        wait: Option<Wait>,
        loaded: &mut Loaded,
    ) -> RedisResult<Together> {
        let sent = self.send_together_once(calls, wait, loaded).await?;
        let forgotten = |answer: &RedisResult<Value>| answer.as_ref().is_err_and(is_unknown_script);
        if sent.answers.iter().any(forgotten) {
            loaded.0.clear();
            return self.send_together_once(calls, wait, loaded).await;
        }
        Ok(sent)
    }

    async fn send_together_once(
        &mut self,
        calls: &[Call],
        wait: Option<Wait>,
        loaded: &mut Loaded,
    ) -> RedisResult<Together> {
        // A script that turned out to be unknown after a `WAIT` would have cost the time for a second one.
        let mut load: Vec<&'static Script> = Vec::new();
        for script in calls.iter().filter_map(|call| call.script) {
            if !loaded.has(script) && !load.iter().any(|other| std::ptr::eq(*other, script)) {
                load.push(script);
            }
        }
        let mut pipeline = redis::Pipeline::with_capacity(load.len() + calls.len() + 1);
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
        let answers = match self {
            Self::Node(node) => {
                let answers = node.send_packed_commands(&pipeline, 0, count).await?;
                loaded.0.extend(&load);
                answers
            }
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => {
                let key = calls.first().map_or(&[][..], |call| &call.key);
                match (cluster.send_pipeline(pipeline, count, key).await, calls) {
                    (Err(moved), [call]) if super::cluster::has_moved(&moved) => {
                        let followed = cluster.send_where_it_is(call, moved, wait).await?;
                        return Ok(Together {
                            answers: vec![Ok(followed.0)],
                            replicas: followed.1,
                        });
                    }
                    (answers, _) => answers?,
                }
            }
        };
        let mut answers = answers.into_iter();
        for loaded in answers.by_ref().take(load.len()) {
            loaded.extract_error()?;
        }
        Ok(Together {
            answers: answers
                .by_ref()
                .take(calls.len())
                .map(Value::extract_error)
                .collect(),
            replicas: answers.next().map(replicas).transpose()?.flatten(),
        })
    }
}

/// One answer for each call, and how many replicas have what they left.
pub(super) struct Together {
    pub(super) answers: Vec<RedisResult<Value>>,
    pub(super) replicas: Option<u32>,
}

/// Which scripts a connection has loaded on its server; on a Cluster, where it leads to several, none.
#[derive(Clone, Default)]
pub(super) struct Loaded(Vec<&'static Script>);

impl Loaded {
    fn has(&self, script: &'static Script) -> bool {
        self.0.iter().any(|loaded| std::ptr::eq(*loaded, script))
    }
}

pub(super) fn is_unknown_script(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript)
}
