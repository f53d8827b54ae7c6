use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use dynoxide::{Database, server};
use tokio::net::TcpListener;

use crate::servers::ServerError;

/// How the engine's program is told to serve.
#[derive(Debug, Clone, clap::Parser)]
#[command(about = "Serves a DynamoDB engine (dynoxide) until its standard input ends")]
#[expect(clippy::exhaustive_structs, reason = "the program's arguments")]
pub struct EngineArguments {
    /// On this port; 0 is a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// On all addresses, as in a container, instead of loopback alone
    #[arg(long)]
    pub everywhere: bool,
    /// Over the data in this file, which is made where it is missing; in memory without it
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Goes on when standard input ends: whoever started it ends it
    #[arg(long)]
    pub forever: bool,
}

/// Serves an engine, and tells where once it listens. Ends only by an error.
///
/// # Errors
/// The port is taken, or the file is no database of the engine.
pub async fn serve_dynamodb(
    arguments: &EngineArguments,
    listening: impl FnOnce(SocketAddr),
) -> Result<(), ServerError> {
    let database = match &arguments.file {
        None => Database::memory(),
        Some(file) => Database::new(&file.display().to_string()),
    };
    let database = database.map_err(ServerError::during("the engine's database"))?;
    let host = if arguments.everywhere {
        Ipv4Addr::UNSPECIFIED
    } else {
        Ipv4Addr::LOCALHOST
    };
    let listener = TcpListener::bind((host, arguments.port))
        .await
        .map_err(ServerError::during(format!("port {}", arguments.port)))?;
    let address = listener
        .local_addr()
        .map_err(ServerError::during("the engine's address"))?;
    listening(address);
    server::serve_with_shutdown(listener, database, std::future::pending())
        .await
        .map_err(ServerError::new)
}
