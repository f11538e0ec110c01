//! The model as a server: its weather, its control API, its sizes and its documentation.

mod control;
mod documentation;
mod scale;
mod weather;
