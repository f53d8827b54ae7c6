use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode,
};
use token_cache_core::Session;

use crate::{NotSignedIn, SignedIn, signed_in::Checked};

impl FromRequest for SignedIn {
    type Error = NotSignedIn;
    type Future = Ready<Result<Self, NotSignedIn>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        ready(Self::found(
            extensions.get::<Session>(),
            extensions.contains::<Checked>(),
        ))
    }
}

impl ResponseError for NotSignedIn {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Nobody => StatusCode::UNAUTHORIZED,
            Self::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .insert_header(("cache-control", "no-store"))
            .body(self.to_string())
    }
}
