use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use dynoxide::{Database, server};
use tokio::net::TcpListener;

use crate::servers::ServerError;

/// The arguments of the engine's program.
#[derive(Debug, Clone, clap::Parser)]
#[command(about = "Serves a DynamoDB engine (dynoxide) until its standard input ends")]
#[expect(clippy::exhaustive_structs, reason = "the program's arguments")]
pub struct EngineArguments {
    /// Port; 0 chooses a free one
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Listens on all addresses, as a container needs, and not only on loopback
    #[arg(long)]
    pub everywhere: bool,
    /// File with the data, which is created if it does not exist. By default the data is in memory
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// Continues when standard input ends: the process must be killed
    #[arg(long)]
    pub forever: bool,
}

/// Serves an engine, and reports its address once it listens. Returns only on an error.
///
/// # Errors
/// The port is taken, or the file is not a database of the engine.
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
