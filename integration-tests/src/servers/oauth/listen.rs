use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::endpoints;
use super::state::Shared;

pub(super) async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if shared.state().refusing {
            continue;
        }
        // If this fails, the connection is only slower.
        let _ = client.set_nodelay(true);
        tokio::spawn(serve(client, Arc::clone(&shared)));
    }
}

/// Serves one connection until it ends or is closed by a fault.
async fn serve(client: TcpStream, shared: Arc<Shared>) {
    let mut cut = shared.until_cut();
    let service = service_fn(|request| endpoints::answer(Arc::clone(&shared), request));
    let connection = http1::Builder::new().serve_connection(TokioIo::new(client), service);
    tokio::select! {
        // The client sees how its connection ends.
        _ = connection => {}
        _ = cut.changed() => {}
    }
}
