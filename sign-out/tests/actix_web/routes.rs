use actix_web::{http::Method, test};
use token_cache_core::ErrorKind;

use crate::{
    good_tokens::{logout_token, session_revoked},
    shop::{ISSUER, Shop, app, cookie},
};

#[actix_web::test]
async fn the_apps_own_sign_out_leads_to_the_provider_and_back() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    let button = test::TestRequest::post()
        .uri("/logout")
        .insert_header(cookie(&ada))
        .insert_header(("sec-fetch-site", "same-origin"));
    let leaving = test::call_service(&app, button.to_request()).await;
    assert_eq!(leaving.status(), 303);
    let location = leaving.headers().get("location").unwrap().to_str().unwrap();
    assert!(
        location.starts_with("https://id.example/end?"),
        "{location}"
    );
    assert!(!shop.lives(&ada).await);

    let cookies: Vec<_> = leaving.headers().get_all("set-cookie").collect();
    assert_eq!(cookies.len(), 2, "the state's, and the ticket's end");
    let state = cookies[0].to_str().unwrap().split(';').next().unwrap();
    let (name, _) = state.split_once('=').unwrap();
    let value = name.strip_prefix("__Host-signing-out-").unwrap();
    let back = test::TestRequest::get()
        .uri(&format!("/signed-out?state={value}"))
        .insert_header(("cookie", state));
    let back = test::call_service(&app, back.to_request()).await;
    assert_eq!(back.status(), 303);
    assert_eq!(back.headers().get("location").unwrap(), "/");
}

#[actix_web::test]
async fn another_site_signs_nobody_out() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    for (method, site, status) in [
        (Method::POST, "cross-site", 403),
        (Method::GET, "cross-site", 200),
        (Method::HEAD, "none", 200),
        (Method::DELETE, "same-origin", 405),
    ] {
        let asked = test::TestRequest::with_uri("/logout")
            .method(method.clone())
            .insert_header(cookie(&ada))
            .insert_header(("sec-fetch-site", site));
        let answer = test::call_service(&app, asked.to_request()).await;
        assert_eq!(answer.status(), status, "{method} {site}");
        assert_eq!(answer.headers().get("cache-control").unwrap(), "no-store");
        assert!(shop.lives(&ada).await);
    }
}

#[actix_web::test]
async fn a_frame_without_cookies_ends_the_session_of_its_sid_alone() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let (phone, laptop) = (shop.sign_in("s1").await, shop.sign_in("s2").await);
    let frame = test::TestRequest::with_uri(&format!("/frontchannel-logout?iss={ISSUER}&sid=s1"));
    let framed = test::call_service(&app, frame.to_request()).await;
    assert_eq!(framed.status(), 200);
    let policy = framed.headers().get("content-security-policy").unwrap();
    let policy = policy.to_str().unwrap();
    assert!(
        policy.ends_with("frame-ancestors https://id.example"),
        "{policy}"
    );
    assert!(!shop.lives(&phone).await);
    assert!(shop.lives(&laptop).await);
}

#[actix_web::test]
async fn a_failed_eviction_is_503_and_keeps_the_cookie() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let ada = shop.sign_in("s1").await;
    shop.store.fail_with(ErrorKind::Unavailable);
    let button = test::TestRequest::post()
        .uri("/logout")
        .insert_header(cookie(&ada))
        .insert_header(("sec-fetch-site", "same-origin"));
    let failed = test::call_service(&app, button.to_request()).await;
    assert_eq!(failed.status(), 503);
    assert!(failed.headers().get("set-cookie").is_none());
    shop.store.work();
    assert!(shop.lives(&ada).await);
}

#[actix_web::test]
async fn a_providers_message_comes_to_be_verified() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let form = ("content-type", "application/x-www-form-urlencoded");
    for (body, status, said) in [
        ("logout_token=a.b.c".to_owned(), 400, "invalid_request"),
        (
            format!("logout_token={}", "a".repeat(70_000)),
            413,
            "invalid_request",
        ),
    ] {
        let message = test::TestRequest::post()
            .uri("/backchannel-logout")
            .insert_header(form)
            .set_payload(body);
        let refused = test::call_service(&app, message.to_request()).await;
        assert_eq!(refused.status(), status);
        let body = test::read_body(refused).await;
        assert!(str::from_utf8(&body).unwrap().contains(said), "{body:?}");
    }
}

#[actix_web::test]
async fn a_good_logout_token_and_a_good_event_end_the_session_that_they_name() {
    let shop = Shop::open().await;
    let sign_out = shop.sign_out();
    let app = test::init_service(app(&sign_out, sign_out.session_check())).await;
    let (phone, laptop) = (shop.sign_in("s1").await, shop.sign_in("s2").await);
    let token = logout_token(&shop.signer, &shop.cache, ISSUER, "s1");
    let event = session_revoked(&shop.signer, &shop.cache, ISSUER, "s2");
    for (path, media, body, status, session) in [
        (
            "/backchannel-logout",
            "application/x-www-form-urlencoded",
            format!("logout_token={token}"),
            200,
            &phone,
        ),
        (
            "/security-events",
            "application/secevent+jwt",
            event,
            202,
            &laptop,
        ),
    ] {
        assert!(shop.lives(session).await, "{path}");
        let message = test::TestRequest::post()
            .uri(path)
            .insert_header(("content-type", media))
            .set_payload(body);
        let answer = test::call_service(&app, message.to_request()).await;
        assert_eq!(answer.status(), status, "{path}");
        assert!(!shop.lives(session).await, "{path}");
    }
}
