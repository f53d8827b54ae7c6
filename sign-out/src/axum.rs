use axum::{
    Router,
    body::Body,
    extract::{FromRequestParts, OptionalFromRequestParts, Request, State},
    response::{IntoResponse, Response},
    routing::any,
};
use bytes::Bytes;
use http::{StatusCode, request::Parts};

use crate::{
    NotSignedIn, SignOutRoutes, SignedIn,
    answer::answer,
    paths::{self, OfOurRoutes},
};

impl SignOutRoutes {
    /// Returns a router with all the routes, at [`paths`]: `app.merge(sign_out.axum_routes())`. It may be nested, too
    /// (`Router::nest`).
    ///
    /// Each route takes every method and answers the wrong ones itself, since a `HEAD` that axum would answer by a `GET` must
    /// sign nobody out.
    pub fn axum_routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let log_out = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            ours(routes.log_out(&parts).await)
        };
        let signed_out = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            ours(routes.signed_out(&parts).await)
        };
        let back_channel = |State(routes): State<Self>, request: Request| async move {
            ours(routes.back_channel(request).await)
        };
        let security_event = |State(routes): State<Self>, request: Request| async move {
            ours(routes.security_event(request).await)
        };
        let front_channel = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            ours(routes.front_channel(&parts).await)
        };
        Router::new()
            .route(paths::LOG_OUT, any(log_out))
            .route(paths::SIGNED_OUT, any(signed_out))
            .route(paths::BACK_CHANNEL, any(back_channel))
            .route(paths::SECURITY_EVENTS, any(security_event))
            .route(paths::FRONT_CHANNEL, any(front_channel))
            .with_state(self.clone())
    }
}

fn ours(answer: http::Response<Bytes>) -> Response {
    let mut answer = answer.map(Body::from);
    answer.extensions_mut().insert(OfOurRoutes);
    answer
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, NotSignedIn> {
        Self::of(&parts.extensions)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, NotSignedIn> {
        match Self::of(&parts.extensions) {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(NotSignedIn::Nobody) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Nobody => StatusCode::UNAUTHORIZED,
            Self::NoLayer => StatusCode::INTERNAL_SERVER_ERROR,
        };
        answer(status, self.to_string())
            .map(Body::from)
            .into_response()
    }
}
