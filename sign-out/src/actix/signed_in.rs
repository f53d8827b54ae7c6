use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode,
};
use token_cache_core::Session;

use crate::session_check::{SessionChecked, SignedIn, SignedInRejection};

impl FromRequest for SignedIn {
    type Error = SignedInRejection;
    type Future = Ready<Result<Self, SignedInRejection>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let extensions = request.extensions();
        ready(Self::from_session(
            extensions.get::<Session>(),
            extensions.contains::<SessionChecked>(),
        ))
    }
}

impl ResponseError for SignedInRejection {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code())
            .insert_header(("cache-control", "no-store"))
            .body(self.to_string())
    }
}
