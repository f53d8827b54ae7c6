use std::{io, net::SocketAddr, sync::Arc};

use token_cache_conformance::{Switch, async_trait};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, lookup_host},
    sync::watch,
};

/// A TCP proxy to a server. When it is shut, it drops the open connections and every new one.
pub(crate) struct Gate(watch::Sender<bool>);

impl Gate {
    /// Returns a gate to `server`, and its address.
    pub(crate) async fn to(server: &str) -> io::Result<(Arc<Self>, SocketAddr)> {
        let server = lookup_host(server).await?.next();
        let server = server.ok_or_else(|| io::Error::other("the endpoint has no address"))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let gate = Arc::new(Self(watch::Sender::new(true)));
        let open = gate.0.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, open.clone()));
            }
        });
        Ok((gate, address))
    }
}

async fn pass(mut client: TcpStream, server: SocketAddr, mut open: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(server).await else {
        return;
    };
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
