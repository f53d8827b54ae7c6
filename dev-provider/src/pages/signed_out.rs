use std::fmt::Write;

use axum::{http::StatusCode, response::Response};
use url::Url;

use super::html::{Page, escaped};
use crate::front_channel::Frame;

/// Loads the frames that notify the apps, and then continues at `next`.
pub(in super::super) fn page(frames: &[Frame], next: Option<&Url>) -> Response {
    let mut main = "<p role=\"status\">You are signed out.</p>\n".to_owned();
    for frame in frames {
        let (client, address) = (escaped(&frame.client), escaped(frame.address.as_str()));
        // A string takes whatever is written to it.
        let _ = writeln!(
            main,
            "<iframe class=\"unseen\" title=\"Signs out of {client}\" src=\"{address}\" aria-hidden=\"true\" tabindex=\"-1\"></iframe>",
        );
    }
    if let Some(next) = next {
        let next = escaped(next.as_str());
        let _ = writeln!(main, "<p><a id=\"next\" href=\"{next}\">Go on</a></p>");
    }
    let mut page = Page::new("Signed out", main);
    page.frames = frames.iter().map(|frame| &frame.address).collect();
    page.has_script = next.is_some();
    page.answer(StatusCode::OK)
}
