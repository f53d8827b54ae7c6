use actix_web::{App, test};
use token_cache_core::ErrorKind;

use crate::shop::{Shop, app, cookie, pages};

#[actix_web::test]
async fn a_living_session_passes_and_an_ended_one_is_refused_with_its_cookie_dropped() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    let me = || test::TestRequest::with_uri("/me").insert_header(cookie(&ada));
    assert_eq!(
        test::call_service(&app, me().to_request()).await.status(),
        200
    );
    assert!(ada.sign_out().await.unwrap().ended);
    let refused = test::call_service(&app, me().to_request()).await;
    assert_eq!(refused.status(), 401);
    let dropped = refused
        .headers()
        .get("set-cookie")
        .unwrap()
        .to_str()
        .unwrap();
    assert!(dropped.starts_with("__Host-shop=;"), "{dropped}");
    assert!(dropped.contains("Max-Age=0"), "{dropped}");
}

#[actix_web::test]
async fn without_a_ticket_a_request_passes_as_anybodys() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let anybody = test::TestRequest::with_uri("/").to_request();
    assert_eq!(test::call_and_read_body(&app, anybody).await, "anybody");
    let me = test::TestRequest::with_uri("/me").to_request();
    assert_eq!(test::call_service(&app, me).await.status(), 401);
}

#[actix_web::test]
async fn a_store_that_can_t_tell_neither_passes_a_request_nor_signs_it_out() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    for kind in [ErrorKind::TimedOut, ErrorKind::Corrupt] {
        shop.store.fail_with(kind);
        let me = test::TestRequest::with_uri("/").insert_header(cookie(&ada));
        let unknown = test::call_service(&app, me.to_request()).await;
        assert_eq!(unknown.status(), 503, "{kind}");
        assert!(unknown.headers().get("set-cookie").is_none(), "{kind}");
    }
}

#[actix_web::test]
async fn a_page_is_redirected_to_where_the_user_signs_in_anew() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let layer = sign_out.session_check().redirect_to("/login").unwrap();
    let app = test::init_service(app(&sign_out, layer)).await;
    let ada = shop.sign_in("s1").await;
    assert!(ada.sign_out().await.unwrap().ended);
    let page = |path| {
        test::TestRequest::with_uri(path)
            .insert_header(cookie(&ada))
            .insert_header(("sec-fetch-mode", "navigate"))
            .to_request()
    };
    let refused = test::call_service(&app, page("/me")).await;
    assert_eq!(refused.status(), 303);
    assert_eq!(refused.headers().get("location").unwrap(), "/login");

    let login = test::call_service(&app, page("/login")).await;
    assert_eq!(login.status(), 200);
    let cookies: Vec<_> = login.headers().get_all("set-cookie").collect();
    assert_eq!(cookies.len(), 2);
    assert!(
        cookies[1].to_str().unwrap().starts_with("__Host-shop=new"),
        "the new ticket counts"
    );
}

#[actix_web::test]
async fn a_forgotten_middleware_is_not_taken_for_a_visitor() {
    let app = test::init_service(App::new().configure(pages)).await;
    for path in ["/", "/me"] {
        let request = test::TestRequest::with_uri(path).to_request();
        assert_eq!(
            test::call_service(&app, request).await.status(),
            500,
            "{path}"
        );
    }
}
