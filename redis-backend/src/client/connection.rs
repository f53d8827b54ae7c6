use redis::{RedisResult, Value, aio::MultiplexedConnection};

use super::call::Call;

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
pub(crate) struct Wait {
    pub(crate) replicas: u32,
    pub(crate) millis: u64,
}

impl Connection {
    /// Sends a call; a script that the server doesn't know is loaded first.
    pub(super) async fn send(&mut self, call: &Call) -> RedisResult<Value> {
        match (self.send_once(call).await, call.script) {
            (Err(error), Some(script)) if is_unknown_script(&error) => {
                self.load(script.load(), &call.key).await?;
                self.send_once(call).await
            }
            (answer, _) => answer,
        }
    }

    async fn send_once(&mut self, call: &Call) -> RedisResult<Value> {
        match self {
            Self::Node(node) => node
                .send_packed_command(&call.command)
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
    ) -> RedisResult<(Vec<RedisResult<Value>>, Option<u32>)> {
        let (answers, confirmed) = self.send_together_once(calls, wait).await?;
        let unknown = calls
            .iter()
            .zip(&answers)
            .find(|(_, answer)| answer.as_ref().is_err_and(is_unknown_script));
        match unknown.and_then(|(call, _)| Some((call.script?, &call.key))) {
            Some((script, key)) => {
                self.load(script.load(), key).await?;
                self.send_together_once(calls, wait).await
            }
            None => Ok((answers, confirmed)),
        }
    }

    async fn send_together_once(
        &mut self,
        calls: &[Call],
        wait: Option<Wait>,
    ) -> RedisResult<(Vec<RedisResult<Value>>, Option<u32>)> {
        let mut pipeline = redis::Pipeline::with_capacity(calls.len() + 1);
        for call in calls {
            pipeline.add_command(call.command.clone());
        }
        if let Some(Wait { replicas, millis }) = wait {
            pipeline.cmd("WAIT").arg(replicas).arg(millis);
        }
        let count = calls.len() + usize::from(wait.is_some());
        let answers = match self {
            Self::Node(node) => node.send_packed_commands(&pipeline, 0, count).await?,
            #[cfg(feature = "cluster")]
            Self::Cluster(cluster) => {
                let key = calls.first().map_or(&[][..], |call| &call.key);
                cluster.send_pipeline(pipeline, count, key).await?
            }
        };
        let mut answers: Vec<_> = answers.into_iter().map(Value::extract_error).collect();
        let confirmed = match (wait, answers.len() > calls.len()) {
            (Some(_), true) => match answers.pop().transpose()? {
                Some(Value::Int(replicas)) => u32::try_from(replicas).ok(),
                _ => None,
            },
            _ => None,
        };
        Ok((answers, confirmed))
    }
}

fn is_unknown_script(error: &redis::RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(redis::ServerErrorKind::NoScript)
}
