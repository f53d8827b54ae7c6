use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    Announced, Error, ErrorKind, Invalidation, Link, LinkConnection, Listener, Result, ServerId,
};

use super::{
    connection::{Cuttable, CuttableListener},
    store::InstrumentedStore,
};

#[async_trait]
impl Link for InstrumentedStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn Listener>,
    ) -> Result<Arc<dyn LinkConnection>> {
        let number = self.switch.open(server)?;
        let switch = Arc::clone(&self.switch);
        let listener = CuttableListener {
            listener,
            switch: Arc::clone(&switch),
            number,
        };
        let connection = self.links()?.connect(server, Arc::new(listener)).await?;
        Ok(Arc::new(Cuttable {
            connection,
            switch,
            number,
        }))
    }

    async fn announce(&self, signer: Option<ServerId>, what: Invalidation) -> Result<Announced> {
        self.links()?.announce(signer, what).await
    }
}

impl InstrumentedStore {
    fn links(&self) -> Result<&dyn Link> {
        self.store.link().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "use the link").message("this store has none")
        })
    }
}
