//! Self-service actions: buttons of the platform, as entities of kind `Action`. The form,
//! the steps and the outputs are a template's; what is added here says where the button
//! stands, who may press it, who has to agree, and when it presses itself.

pub mod approval;
#[cfg(feature = "engine")]
pub mod computed;
#[cfg(feature = "engine")]
pub mod definition;
#[cfg(feature = "engine")]
mod reading;
#[cfg(feature = "engine")]
pub mod schedule;
#[cfg(feature = "engine")]
pub mod triggers;
pub mod wire;
