//! Self-service actions: buttons of the platform, as entities of kind `Action`. The form,
//! the steps and the outputs are a template's; what is added here says where the button
//! stands, who may press it, and who has to agree.

pub mod approval;
#[cfg(feature = "engine")]
pub mod definition;
pub mod wire;
