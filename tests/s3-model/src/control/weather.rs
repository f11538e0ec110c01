//! `GET` and `PUT /_model/weather`.

use serde_json::json;

use super::outcome::{Outcome, done, parse, refused};
use crate::state::ServerState;
use crate::weather::profile::Weather;

/// Returns the weather in force, and how often each rule has fired.
pub(super) fn get_weather(server: &ServerState) -> Outcome {
    Ok(json!({ "weather": server.weather.get(), "fired": server.weather.fired() }))
}

/// Replaces the weather.
pub(super) fn put_weather(server: &ServerState, body: &[u8]) -> Outcome {
    let weather: Weather = parse(body)?;
    if !weather.time_scale.is_finite() || weather.time_scale <= 0.0 {
        return Err(refused("time_scale must be above 0"));
    }
    server.set_weather(weather);
    done()
}
