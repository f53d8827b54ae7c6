use std::{convert::Infallible, fmt, pin::pin};

use axum::{Router, body::Body};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
};
use tower_service::Service;

use crate::faults::{Cut, Door};

/// Accepts connections until the provider ends.
pub(crate) async fn serve(listener: TcpListener, router: Router, mut door: watch::Receiver<Door>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            ended = door.wait_for(|door| *door == Door::Ended) => match ended {
                Ok(_) | Err(_) => return,
            },
        };
        let Ok((client, _)) = accepted else {
            // Out of file descriptors, for example. The next one may work.
            tokio::task::yield_now().await;
            continue;
        };
        if *door.borrow() == Door::Refusing {
            continue;
        }
        // If this fails, the connection is only slower.
        let _ = client.set_nodelay(true);
        tokio::spawn(connection(client, router.clone(), door.clone()));
    }
}

/// Serves a connection until it ends, or the provider does, or it is closed by a fault.
async fn connection(client: TcpStream, router: Router, mut door: watch::Receiver<Door>) {
    let service = service_fn(move |request: Request<Incoming>| {
        // A router is always ready.
        let answer = router.clone().call(request.map(Body::new));
        async move {
            let Ok::<_, Infallible>(response) = answer.await;
            match response.extensions().get::<Cut>() {
                Some(Cut) => Err(Closed),
                None => Ok(response),
            }
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(client), service);
    let mut connection = pin!(connection);
    tokio::select! {
        // The client sees how its connection ends, here and below.
        _ = connection.as_mut() => return,
        closing = door.wait_for(|door| *door != Door::Open) => {
            if closing.is_ok_and(|door| *door == Door::Refusing) {
                return;
            }
        }
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// Closes the connection instead of answering.
#[derive(Debug)]
struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is closed")
    }
}

impl std::error::Error for Closed {}
