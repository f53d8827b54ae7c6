//! Tickets that need an actix-web request: here they are in its extensions, where the app's own middleware puts them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{HttpMessage, HttpRequest, test};
use token_cache_core::{Error, ErrorKind, Result, Ticket};
use token_cache_sign_out::{ExtensionTicketSource, actix::TicketSource};

use crate::shop::{Shop, app};

#[derive(Clone, Default)]
struct InExtensions {
    forgotten: Arc<AtomicUsize>,
}

impl TicketSource for InExtensions {
    fn ticket(&self, request: &HttpRequest) -> Result<Option<Ticket>> {
        if request.headers().contains_key("broken") {
            return Err(Error::new(ErrorKind::Unavailable, "read the ticket"));
        }
        Ok(request.extensions().get::<Ticket>().cloned())
    }

    fn remove(&self, request: &HttpRequest) {
        assert!(request.extensions_mut().remove::<Ticket>().is_some());
        self.forgotten.fetch_add(1, Ordering::Relaxed);
    }
}

#[actix_web::test]
async fn they_are_found_and_forgotten_there() {
    let shop = Shop::with(|builder| builder.ticket_source(ExtensionTicketSource::new())).await;
    let tickets = InExtensions::default();
    let sign_out = shop.sign_out().ticket_source(tickets.clone());
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    let ask = |request: test::TestRequest| {
        let request = request
            .insert_header(("sec-fetch-site", "same-origin"))
            .to_request();
        request.extensions_mut().insert(ada.ticket().unwrap());
        test::call_service(&app, request)
    };
    assert_eq!(ask(test::TestRequest::with_uri("/me")).await.status(), 200);
    assert_eq!(tickets.forgotten.load(Ordering::Relaxed), 0);
    let leaving = ask(test::TestRequest::post().uri("/logout")).await;
    assert_eq!(leaving.status(), 303);
    assert_eq!(tickets.forgotten.load(Ordering::Relaxed), 1);
    assert_eq!(ask(test::TestRequest::with_uri("/me")).await.status(), 401);
    assert_eq!(tickets.forgotten.load(Ordering::Relaxed), 2);
}

#[actix_web::test]
async fn a_place_that_can_t_be_read_is_not_an_empty_one() {
    let shop = Shop::with(|builder| builder.ticket_source(ExtensionTicketSource::new())).await;
    let sign_out = shop.sign_out().ticket_source(InExtensions::default());
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let broken = test::TestRequest::with_uri("/").insert_header(("broken", "yes"));
    assert_eq!(
        test::call_service(&app, broken.to_request()).await.status(),
        503
    );
}
