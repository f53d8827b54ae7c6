use std::time::Duration;

use redis::{
    Cmd, ConnectionInfo, ErrorKind, Pipeline, RedisError, RedisResult, ServerErrorKind, Value,
    aio::ConnectionLike,
    cluster::{ClusterClient, ClusterClientBuilder},
    cluster_async,
    cluster_routing::{Route, RoutingInfo, SingleNodeRoutingInfo, SlotAddr},
};

use super::{call::Call, connection::is_unknown_script};

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
        let command = call.to_send();
        let sent = self.0.req_packed_command(&command).await;
        match sent.and_then(Value::extract_error) {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::Ask) => {
                self.send_where_it_is(call, &command, error).await
            }
            answer => answer,
        }
    }

    /// The key has moved ahead of its slot: the node that has it answers to who says so. A script that this node doesn't know is loaded
    /// there, since the slot still leads to the other.
    async fn send_where_it_is(
        &mut self,
        call: &Call,
        command: &Cmd,
        error: RedisError,
    ) -> RedisResult<Value> {
        let Some((host, port)) = error
            .redirect_node()
            .and_then(|(address, _)| address.rsplit_once(':'))
            .and_then(|(host, port)| Some((host.to_owned(), port.parse().ok()?)))
        else {
            return Err(error);
        };
        match (self.ask(command, &host, port).await, call.script) {
            (Err(unknown), Some(script)) if is_unknown_script(&unknown) => {
                self.send_to_node(script.load(), &host, port).await?;
                self.ask(command, &host, port).await
            }
            (answer, _) => answer,
        }
    }

    async fn ask(&mut self, command: &Cmd, host: &str, port: u16) -> RedisResult<Value> {
        let mut pipeline = Pipeline::with_capacity(2);
        pipeline.cmd("ASKING").add_command(command.clone());
        let host = host.to_owned();
        let node = SingleNodeRoutingInfo::ByAddress { host, port };
        let answers = self.0.route_pipeline(pipeline, 0, 2, node).await?;
        answers
            .into_iter()
            .next_back()
            .ok_or((ErrorKind::UnexpectedReturnType, "no answer"))?
            .extract_error()
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

fn slot_of(key: &[u8]) -> SingleNodeRoutingInfo {
    SingleNodeRoutingInfo::SpecificNode(Route::with_key(key, SlotAddr::Master))
}
