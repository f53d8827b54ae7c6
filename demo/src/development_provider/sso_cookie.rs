use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::shared::Shared;

/// The cookie's value, as a browser sent it.
pub(super) fn read(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == shared.cookie_name)?;
    Some(value.to_owned())
}

/// Has the browser keep it. Without TLS it can't be `Secure`, which a loopback address makes up for.
pub(super) fn set(shared: &Shared, response: &mut Response, value: &str) {
    let name = &shared.cookie_name;
    append(
        response,
        &format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"),
    );
}

/// Has the browser forget it.
pub(super) fn forget(shared: &Shared, response: &mut Response) {
    let name = &shared.cookie_name;
    append(
        response,
        &format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"),
    );
}

fn append(response: &mut Response, cookie: &str) {
    // Names and values are the provider's own ASCII.
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
}
