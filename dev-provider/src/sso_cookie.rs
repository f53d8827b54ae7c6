use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};

use super::shared::Shared;

/// The cookie's value, as a browser sent it. The header is read as bytes: what other cookies hold does not matter. A value that is not
/// text is that of no session.
pub(super) fn read(shared: &Shared, headers: &HeaderMap) -> Option<String> {
    let prefix = format!("{}=", shared.cookie_name);
    let mut pairs = headers
        .get_all(header::COOKIE)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let value = pairs.find_map(|pair| {
        let begin = pair.iter().position(|byte| !b" \t".contains(byte))?;
        pair[begin..].strip_prefix(prefix.as_bytes())
    })?;
    Some(String::from_utf8_lossy(value).trim_end().to_owned())
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
