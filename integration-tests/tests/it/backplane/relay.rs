use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// A relay of bytes. While it is stalled, it reads nothing from the server, like a client that is too slow.
pub(crate) struct Relay {
    pub(crate) address: SocketAddr,
    stalled: watch::Sender<bool>,
}

impl Relay {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stalled = watch::Sender::new(false);
        let stalls = stalled.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server).await.unwrap();
                tokio::spawn(pass(client, server, stalls.clone()));
            }
        });
        Self { address, stalled }
    }

    pub(crate) fn stall(&self, stalled: bool) {
        self.stalled.send_replace(stalled);
    }
}

async fn pass(client: TcpStream, server: TcpStream, mut stalls: watch::Receiver<bool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut bytes = vec![0; 1 << 16];
    while stalls.wait_for(|stalled| !stalled).await.is_ok() {
        match from_server.read(&mut bytes).await {
            Ok(count @ 1..) if to_client.write_all(&bytes[..count]).await.is_ok() => {}
            _ => return,
        }
    }
}
