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
    http::no_store_response,
    paths::{self, SignOutRouteResponse},
    routes::SignOutRoutes,
    session_check::{SignedIn, SignedInRejection},
};

impl SignOutRoutes {
    /// Returns an axum router with the five sign-out routes, at the [`paths`] of this crate. They are the app's own
    /// sign-out, the return from the provider, back-channel logout, front-channel logout and security events. Merge it
    /// into the app's router, `app.merge(sign_out.axum_routes())`, or nest it with `Router::nest`.
    ///
    /// Each route accepts every method, and answers 405 to the unsupported ones. A `HEAD` request never signs the user
    /// out.
    pub fn axum_routes<S>(&self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let logout = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            axum_response(routes.logout(&parts).await)
        };
        let post_logout_redirect = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            axum_response(routes.post_logout_redirect(&parts).await)
        };
        let back_channel = |State(routes): State<Self>, request: Request| async move {
            axum_response(routes.back_channel_logout(request).await)
        };
        let security_event = |State(routes): State<Self>, request: Request| async move {
            axum_response(routes.security_event(request).await)
        };
        let front_channel = |State(routes): State<Self>, request: Request| async move {
            let (parts, _) = request.into_parts();
            axum_response(routes.front_channel_logout(&parts).await)
        };
        // With `get`, axum would answer a `HEAD` request with the `GET` handler, which signs the user out.
        Router::new()
            .route(paths::LOGOUT, any(logout))
            .route(paths::POST_LOGOUT_REDIRECT, any(post_logout_redirect))
            .route(paths::BACK_CHANNEL_LOGOUT, any(back_channel))
            .route(paths::SECURITY_EVENTS, any(security_event))
            .route(paths::FRONT_CHANNEL_LOGOUT, any(front_channel))
            .with_state(self.clone())
    }
}

fn axum_response(response: http::Response<Bytes>) -> Response {
    let mut response = response.map(Body::from);
    response.extensions_mut().insert(SignOutRouteResponse);
    response
}

impl<S: Sync> FromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SignedInRejection> {
        Self::from_extensions(&parts.extensions)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for SignedIn {
    type Rejection = SignedInRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SignedInRejection> {
        match Self::from_extensions(&parts.extensions) {
            Ok(signed_in) => Ok(Some(signed_in)),
            Err(SignedInRejection::NotSignedIn) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl IntoResponse for SignedInRejection {
    fn into_response(self) -> Response {
        let status = match self {
            Self::NotSignedIn => StatusCode::UNAUTHORIZED,
            Self::MissingLayer => StatusCode::INTERNAL_SERVER_ERROR,
        };
        no_store_response(status, self.to_string())
            .map(Body::from)
            .into_response()
    }
}
