use super::{RegisteredClient, SIGNED_OUT, Settings, shop, world_of};

const FRAME: &str = "http://localhost:9/frontchannel-logout";

fn framed(session_required: bool) -> RegisteredClient {
    RegisteredClient {
        frontchannel_logout_uri: Some(format!("{FRAME}?app=1")),
        frontchannel_logout_session_required: session_required,
        ..shop()
    }
}

#[tokio::test]
async fn the_page_loads_the_apps_address_and_then_goes_on() {
    let mut world = world_of(vec![framed(true)], Settings::default());
    let tokens = world.app.sign_in(&mut world.browser, "Ada").await;
    let url = world.app.end_session(&[
        ("id_token_hint", &tokens.id),
        ("post_logout_redirect_uri", SIGNED_OUT),
        ("state", "s"),
    ]);
    let page = world.browser.get(url).await;
    assert_eq!(page.status(), 200);
    let mut issuer = url::form_urlencoded::byte_serialize(world.provider.issuer().as_bytes());
    let issuer: String = issuer.by_ref().collect();
    let claims = tokens.claims();
    let sid = claims["sid"].as_str().unwrap();
    let src = format!("src=\"{FRAME}?app=1&amp;iss={issuer}&amp;sid={sid}\"");
    assert!(page.text().contains(&src), "{}", page.text());
    let next = format!("<a id=\"next\" href=\"{SIGNED_OUT}?state=s\">");
    assert!(page.text().contains(&next), "{}", page.text());
    let policy = page.header("content-security-policy");
    assert!(policy.contains("frame-src http://localhost:9"), "{policy}");
    assert!(policy.contains("script-src 'self'"), "{policy}");
    assert!(!page.text().contains("<script>"));
    assert_eq!(world.provider.counts().front_channel_shown, 1);
    let script = world.browser.get(world.app.at("/signed-out.js")).await;
    assert!(script.header("content-type").starts_with("text/javascript"));
}

#[tokio::test]
async fn without_the_session_the_address_is_as_registered() {
    let mut world = world_of(vec![framed(false)], Settings::default());
    world.app.sign_in(&mut world.browser, "Ada").await;
    let page = world.browser.post(world.app.at("/sign-out"), &[]).await;
    let src = format!("src=\"{FRAME}?app=1\"");
    assert!(page.text().contains(&src), "{}", page.text());
    assert!(!page.text().contains("id=\"next\""));
}
