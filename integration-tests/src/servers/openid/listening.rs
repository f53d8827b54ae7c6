use std::future::Future;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::servers::ServerError;

/// An HTTP server on a loopback port, in a thread of its own. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Listening {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Listens at `address`. `answer` answers each request.
    ///
    /// # Errors
    /// The port is taken.
    pub(super) fn start<A, F>(address: SocketAddr, answer: A) -> Result<Self, ServerError>
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Result<Response<Full<Bytes>>, hyper::Error>> + Send + 'static,
    {
        let what = || format!("a server of the test at {address}");
        let listener = std::net::TcpListener::bind(address).map_err(ServerError::during(what()))?;
        listener
            .set_nonblocking(true)
            .map_err(ServerError::during(what()))?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(ServerError::during(what()))?;
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, answer) => {}
                    _ = stopped => {}
                }
            });
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has no result.
            let _ = thread.join();
        }
    }
}

async fn accept<A, F>(listener: std::net::TcpListener, answer: A)
where
    A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Result<Response<Full<Bytes>>, hyper::Error>> + Send + 'static,
{
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    while let Ok((connection, _)) = listener.accept().await {
        let service = service_fn(answer.clone());
        tokio::spawn(async move {
            let serving = http1::Builder::new().serve_connection(TokioIo::new(connection), service);
            // A client that closes its connection is no failure.
            let _ = serving.await;
        });
    }
}
