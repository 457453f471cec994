//! Permissions in the handler's signature: `Authorized<ReadCatalog>`.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use portal_core::access::policy::{self, Policies, Subject};
use portal_core::access::{Decision, Principal, Resource, Verb, decide};
use portal_core::catalog::index::Visibility;

use crate::audit::By;
use crate::catalog::view::Snapshot;
use crate::changes::Writing;
use crate::error::{ApiError, ApiResult};
use crate::http::context::RequestId;
use crate::http::origin::Origin;
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

permissions!(
    ReadCatalog,
    WriteCatalog,
    ReadSources,
    AddSources,
    WriteSources,
    ReadChanges,
    ReadOperations,
    Personalise,
    CallApi,
    ManageOwnAccess,
    ManageAccess,
    ReadAudit,
    RunTemplates,
    ReadRuns
);

/// Whoever calls, with no permission asked for: for signing in and out.
#[derive(Debug, Clone)]
pub struct Anybody {
    pub principal: Principal,
    address: String,
}

/// Proof that the caller may do `P`; holds who they are and what they may see.
#[derive(Debug, Clone)]
pub struct Authorized<P> {
    pub principal: Principal,
    address: String,
    permission: PhantomData<P>,
}

impl Anybody {
    /// Who, why and when, for the changes that this request makes.
    pub fn writing(&self, app: &App, request: &RequestId) -> Writing {
        Writing {
            actor: self.principal.actor.clone(),
            cause: format!("request:{}", request.0),
            at: app.clock.now(),
            by: Some(By::new(&self.principal, &request.0, &self.address)),
        }
    }
}

impl<P: Permission> Authorized<P> {
    /// Who, why and when, for the changes that this request makes.
    pub fn writing(&self, app: &App, request: &RequestId) -> Writing {
        let (principal, address) = (self.principal.clone(), self.address.clone());
        Anybody { principal, address }.writing(app, request)
    }

    /// Proof that they may do it to this; an entity comes with its row and document,
    /// for policies to judge it.
    ///
    /// # Errors
    /// The decision's reason.
    pub fn check(&self, policies: &Policies, resource: Resource<'_>, subject: Option<&Subject<'_>>) -> ApiResult<()> {
        check(&self.principal, P::VERB, policies, resource, subject)
    }
}

impl<P> Authorized<P> {
    /// Proof that they may do something else as well.
    ///
    /// # Errors
    /// The decision's reason.
    pub fn also(&self, verb: Verb) -> ApiResult<()> {
        allowed(decide(&self.principal, verb, Resource::Any), verb)
    }

    /// The rows of the catalog that reads of this request may touch.
    pub fn visibility(&self, snapshot: &Snapshot) -> Visibility {
        snapshot.visibility(&self.principal)
    }
}

/// Proof that somebody may do something to this, whoever asks for them.
///
/// # Errors
/// The decision's reason.
pub fn check(
    principal: &Principal,
    verb: Verb,
    policies: &Policies,
    resource: Resource<'_>,
    subject: Option<&Subject<'_>>,
) -> ApiResult<()> {
    allowed(policy::decide(policies, principal, verb, resource, subject), verb)
}

fn allowed(decision: Decision, verb: Verb) -> ApiResult<()> {
    match decision {
        Decision::Allow => Ok(()),
        Decision::SignIn => Err(ApiError::Unauthenticated(format!(
            "sign in to {}: send `Authorization: Bearer` with a token, or the cookie of a session",
            verb.words()
        ))),
        Decision::Deny(reason) => Err(ApiError::Forbidden(reason)),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Anybody {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ApiError> {
        // A call that the server makes to itself during rendering carries its caller's.
        let principal = parts.extensions.get::<Principal>().cloned().unwrap_or_else(Principal::nobody);
        let address = parts.extensions.get::<Origin>().map(|origin| origin.address.clone()).unwrap_or_default();
        Ok(Self { principal, address })
    }
}

impl<P: Permission> FromRequestParts<App> for Authorized<P> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Anybody { principal, address } = Anybody::from_request_parts(parts, app).await?;
        let snapshot = app.catalog.snapshot();
        allowed(policy::decide(&snapshot.policies.rules, &principal, P::VERB, Resource::Any, None), P::VERB)?;
        Ok(Self { principal, address, permission: PhantomData })
    }
}
