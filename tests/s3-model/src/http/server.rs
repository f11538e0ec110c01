//! A running server.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::connection::serve_connection;
use crate::state::ServerState;

/// A running server. Dropping it closes the listener and every connection.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Server {
    /// Returns the address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the endpoint URL for an S3 client.
    pub fn endpoint_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until the task is canceled or the listener fails.
    pub async fn run(mut self) {
        // A join error means that the task was canceled, which is how a server ends.
        if (&mut self.accepting).await.is_err() {
            self.accepting.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves on a free port of the loopback interface, on the current tokio runtime.
pub(crate) async fn start(state: Arc<ServerState>) -> std::io::Result<Server> {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
    serve(state, listener)
}

/// Serves on a bound listener, on the current tokio runtime.
pub(crate) fn serve(state: Arc<ServerState>, listener: TcpListener) -> std::io::Result<Server> {
    let address = listener.local_addr()?;
    let accepting = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // An error means that the connection broke before it was accepted.
                    if let Ok((stream, _)) = accepted {
                        connections.spawn(serve_connection(state.clone(), stream));
                    }
                }
                Some(_) = connections.join_next() => {}
            }
        }
    });
    Ok(Server { address, accepting })
}
