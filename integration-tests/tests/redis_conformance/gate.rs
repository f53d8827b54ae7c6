use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

use token_cache_conformance::{Switch, async_trait};
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    sync::watch,
};

/// A relay of bytes to a server. Once it is shut, it closes all connections and refuses new ones.
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    /// Opens a gate to `server`. Returns it and the address at which it listens.
    pub(crate) async fn to_address(server: String) -> io::Result<(Arc<Self>, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let gate = Arc::new(Self(watch::Sender::new(true)));
        let open = gate.0.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, open) = (server.clone(), open.clone());
                tokio::spawn(async move {
                    if let Ok(server) = TcpStream::connect(server).await {
                        pass(client, server, open).await;
                    }
                });
            }
        });
        Ok((gate, address))
    }

    /// Opens a gate to the socket `server`. It listens at the socket `at`.
    pub(crate) fn to_socket(server: PathBuf, at: &PathBuf) -> io::Result<Arc<Self>> {
        let listener = UnixListener::bind(at)?;
        let gate = Arc::new(Self(watch::Sender::new(true)));
        let open = gate.0.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, open) = (server.clone(), open.clone());
                tokio::spawn(async move {
                    if let Ok(server) = UnixStream::connect(server).await {
                        pass(client, server, open).await;
                    }
                });
            }
        });
        Ok(gate)
    }
}

async fn pass<C, S>(mut client: C, mut server: S, mut open: watch::Receiver<bool>)
where
    C: AsyncRead + AsyncWrite + Unpin,
    S: AsyncRead + AsyncWrite + Unpin,
{
    tokio::select! {
        biased;
        _ = open.wait_for(|open| !open) => {}
        _ = copy_bidirectional(&mut client, &mut server) => {}
    }
}

#[async_trait]
impl Switch for Gate {
    async fn cut(&self) {
        self.0.send_replace(false);
    }

    async fn mend(&self) {
        self.0.send_replace(true);
    }
}
