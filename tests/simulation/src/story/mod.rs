//! What the seed decides before anything is played: the two sides, the nights, what others do meanwhile, the weather.

mod climate;
mod events;
mod keys;
mod nights;
mod places;
mod telling;

pub use climate::Climate;
pub(crate) use climate::time_of_invocation;
pub use events::{Deed, Event};
pub use nights::{RunPlan, Step};
pub use places::{CONTROL, Ground, SOURCE, SOURCE_ACCOUNT, TARGET, TARGET_ACCOUNT};
pub use telling::{FirstObject, Story};
