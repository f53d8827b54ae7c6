use std::sync::Arc;

use async_trait::async_trait;
use token_cache::{
    Error, ErrorKind, Result,
    store::{
        Backplane, BackplaneConnection, Invalidation, InvalidationListener, Published, ServerId,
    },
};

use super::{
    connection::{Cuttable, CuttableListener},
    store::InstrumentedStore,
};

#[async_trait]
impl Backplane for InstrumentedStore {
    async fn connect(
        &self,
        server: ServerId,
        listener: Arc<dyn InvalidationListener>,
    ) -> Result<Arc<dyn BackplaneConnection>> {
        let number = self.switch.open(server)?;
        let switch = Arc::clone(&self.switch);
        let listener = CuttableListener {
            listener,
            switch: Arc::clone(&switch),
            number,
        };
        let connection = self
            .inner_backplane()?
            .connect(server, Arc::new(listener))
            .await?;
        Ok(Arc::new(Cuttable {
            connection,
            switch,
            number,
        }))
    }

    async fn publish(&self, origin: Option<ServerId>, what: Invalidation) -> Result<Published> {
        self.inner_backplane()?.publish(origin, what).await
    }
}

impl InstrumentedStore {
    fn inner_backplane(&self) -> Result<&dyn Backplane> {
        self.store.backplane().ok_or_else(|| {
            Error::new(ErrorKind::Unsupported, "use the backplane").message("this store has none")
        })
    }
}
