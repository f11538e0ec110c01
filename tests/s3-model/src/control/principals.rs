//! `PUT /_model/principals/<access key>`.

use super::outcome::{Outcome, done, parse, refused};
use crate::access::principal::Principal;
use crate::state::ServerState;

/// Registers the principal of an access key, or of all others for `*`.
pub(super) fn put_principal(server: &ServerState, access_key: &str, body: &[u8]) -> Outcome {
    let principal: Principal = parse(body)?;
    match access_key {
        "" => Err(refused(
            "name the access key in the path, or * for all others",
        )),
        "*" => {
            server.register_any_other(principal);
            done()
        }
        access_key => {
            server.register(access_key, principal);
            done()
        }
    }
}
