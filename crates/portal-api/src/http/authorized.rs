//! Permissions in the handler's signature: `Authorized<ReadCatalog>`.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use portal_core::access::{Decision, Principal, Verb, decide};
use portal_core::catalog::index::Visibility;

use crate::changes::Writing;
use crate::error::ApiError;
use crate::http::context::RequestId;
use crate::state::App;

/// A verb as a type, so that a handler names it in its signature.
pub trait Permission: Send + Sync + 'static {
    const VERB: Verb;
}

macro_rules! permissions {
    ($($name:ident),+) => {
        $(
            #[doc = concat!("Allows [`Verb::", stringify!($name), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub struct $name;
            impl Permission for $name {
                const VERB: Verb = Verb::$name;
            }
        )+
    };
}

permissions!(ReadCatalog, WriteCatalog, ReadSources, WriteSources, ReadChanges, ReadOperations, Personalise, CallApi);

/// Proof that the caller may do `P`; holds who they are and what they may see.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    pub principal: Principal,
    permission: PhantomData<P>,
}

impl<P> Authorized<P> {
    /// The rows of the catalog that reads of this request may touch.
    pub fn visibility(&self) -> Visibility {
        Visibility::All
    }

    /// Who, why and when, for the changes that this request makes.
    pub fn writing(&self, app: &App, request: &RequestId) -> Writing {
        Writing { actor: self.principal.actor.clone(), cause: format!("request:{}", request.0), at: app.clock.now() }
    }
}

impl<P: Permission, S: Send + Sync> FromRequestParts<S> for Authorized<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // The identity middleware will put the principal here; a call that the
        // server makes to itself during rendering carries its caller's.
        let principal = parts.extensions.get::<Principal>().cloned().unwrap_or_else(Principal::local_administrator);
        match decide(&principal, P::VERB) {
            Decision::Allow => Ok(Self { principal, permission: PhantomData }),
            Decision::Deny(reason) => Err(ApiError::Forbidden(reason)),
        }
    }
}
