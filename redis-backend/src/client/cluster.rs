use std::time::Duration;

use redis::{
    Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
};

use super::{
    call::Call,
    connection::{Wait, is_unknown_script, replicas},
};

/// A connection to the nodes of a cluster. The driver's own retries are off: it would send a sign-in twice.
#[derive(Clone)]
pub(crate) struct ClusterConnection(cluster_async::ClusterConnection);

/// Opens connections to a cluster, by some of its nodes.
pub(super) fn client(
    nodes: Vec<ConnectionInfo>,
    connect_timeout: Duration,
    operation_timeout: Duration,
    certificates: Option<&super::tls::Certificates>,
) -> RedisResult<ClusterClient> {
    let builder = ClusterClientBuilder::new(nodes)
        .retries(0)
        .connection_timeout(connect_timeout)
        .response_timeout(operation_timeout)
        .overall_response_timeout(None)
        .tcp_settings(super::dial::tcp_settings());
    #[cfg(feature = "tls")]
    let builder = match certificates {
        Some(certificates) => builder.certs(certificates.for_driver()),
        None => builder,
    };
    #[cfg(not(feature = "tls"))]
    let _ = certificates;
    builder.build()
}

impl ClusterConnection {
    pub(super) fn new(connection: cluster_async::ClusterConnection) -> Self {
        Self(connection)
    }

    pub(super) async fn send(&mut self, call: &Call) -> RedisResult<Value> {
        let sent = self.0.req_packed_command(&call.to_send()).await;
        match sent.and_then(Value::extract_error) {
            Err(error) if has_moved(&error) => self
                .send_where_it_is(call, error, None)
                .await
                .map(|(answer, _)| answer),
            answer => answer,
        }
    }

    /// The key has moved ahead of its slot: the node that has it answers to who says so. A script that this node doesn't know is loaded
    /// there, since the slot still leads to the other. Says how many of the node's replicas have what the call leaves, where it waits for them.
    pub(super) async fn send_where_it_is(
        &mut self,
        call: &Call,
        moved: RedisError,
        wait: Option<Wait>,
    ) -> RedisResult<(Value, Option<u32>)> {
        let Some((host, port)) = moved
            .redirect_node()
            .and_then(|(address, _)| address.rsplit_once(':'))
            .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        else {
            return Err(moved);
        };
        match (self.ask(call, &host, port, wait).await, call.script) {
            (Err(unknown), Some(script)) if is_unknown_script(&unknown) => {
                self.send_to_node(script.load(), &host, port).await?;
                self.ask(call, &host, port, wait).await
            }
            (answer, _) => answer,
        }
    }

    async fn ask(
        &mut self,
        call: &Call,
        host: &str,
        port: u16,
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
        let host = host.to_owned();
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        let answers = self.0.route_pipeline(pipeline, 0, count, node).await?;
        let mut answers = answers.into_iter().skip(1);
        let answer = answers
            .next()
            .ok_or((ErrorKind::UnexpectedReturnType, "no answer"))?
            .extract_error()?;
        let replicas = answers.next().map(replicas).transpose()?.flatten();
        Ok((answer, replicas))
    }

    pub(super) async fn send_to_slot(&mut self, command: Cmd, key: &[u8]) -> RedisResult<Value> {
        let routing = RoutingInfo::SingleNode(slot_of(key));
        self.0
            .route_command(command, routing)
            .await
            .and_then(Value::extract_error)
    }

    pub(super) async fn send_to_node(
        &mut self,
        command: Cmd,
        host: &str,
        port: u16,
    ) -> RedisResult<Value> {
        let host = host.to_owned();
        let routing = RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress { host, port });
        self.0
            .route_command(command, routing)
            .await
            .and_then(Value::extract_error)
    }

    pub(super) async fn send_to_any(&mut self, command: Cmd) -> RedisResult<Value> {
        let routing = RoutingInfo::SingleNode(SingleNodeRoutingInfo::RandomPrimary);
        self.0
            .route_command(command, routing)
            .await
            .and_then(Value::extract_error)
    }

    pub(super) async fn send_pipeline(
        &mut self,
        pipeline: Pipeline,
        count: usize,
        key: &[u8],
    ) -> RedisResult<Vec<Value>> {
        self.0
            .route_pipeline(pipeline, 0, count, slot_of(key))
            .await
    }
}

/// Whether a key is at another node already, which is not where its slot leads yet.
pub(super) fn has_moved(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::Ask)
}

fn slot_of(key: &[u8]) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
}
