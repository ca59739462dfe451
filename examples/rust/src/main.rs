//! A page by Rust, served by tiny_http.

use std::env;

use tiny_http::{Response, Server};

fn main() {
    let port = env::var("PORT").unwrap_or("3000".into());
    let greeting = env::var("GREETING").unwrap_or("Hello".into());
    let server = Server::http(format!("0.0.0.0:{port}")).expect("the port is free");
    for request in server.incoming_requests() {
        let page = Response::from_string(format!("{greeting} from Rust on Mothership!\n"));
        let _ = request.respond(page);
    }
}
