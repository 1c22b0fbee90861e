//! A line to a server that can be cut: as long as it is, whoever calls is refused.

use std::{io, net::SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Runtime,
};

use crate::Error;

const LOOPBACK: &str = "127.0.0.1";
/// Callers that may wait to be answered.
const BACKLOG: u32 = 1024;

/// A line, uncut at first; it ends when this is dropped, and every connection through it.
pub struct Line {
    upstream: String,
    address: SocketAddr,
    /// While it is cut: kept, so that nobody else gets it, and nobody listens there.
    port: Option<TcpSocket>,
    /// While it is not.
    runtime: Option<Runtime>,
}

impl Line {
    /// Starts a line to the server at this `http://` URL.
    ///
    /// # Errors
    ///
    /// No port can be bound.
    pub fn start(url: &str) -> Result<Self, Error> {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let port = bind(free).map_err(Error::file(LOOPBACK))?;
        let mut line = Self {
            upstream: url.trim_start_matches("http://").to_owned(),
            address: port.local_addr().map_err(Error::file(LOOPBACK))?,
            port: Some(port),
            runtime: None,
        };
        line.mend()?;
        Ok(line)
    }

    /// Where it is answered.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Cuts it: every connection ends, and nobody listens any more where it was answered.
    ///
    /// # Errors
    ///
    /// Somebody else has taken its port.
    pub fn cut(&mut self) -> Result<(), Error> {
        // First whatever accepts and copies, which has ended when this is done.
        drop(self.runtime.take());
        self.port = Some(bind(self.address).map_err(Error::file(LOOPBACK))?);
        Ok(())
    }

    /// Mends it, at the same address.
    ///
    /// # Errors
    ///
    /// The system has no room for it.
    pub fn mend(&mut self) -> Result<(), Error> {
        let Some(port) = self.port.take() else {
            return Ok(());
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(Error::file("the line's runtime"))?;
        let listener = {
            let _here = runtime.enter();
            port.listen(BACKLOG).map_err(Error::file(LOOPBACK))?
        };
        runtime.spawn(serve(listener, self.upstream.clone()));
        self.runtime = Some(runtime);
        Ok(())
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let port = TcpSocket::new_v4()?;
    // Connections that have ended may still have the address.
    port.set_reuseaddr(true)?;
    port.bind(address)?;
    Ok(port)
}

/// Accepts for ever. A connection that breaks is its client's business alone.
async fn serve(listener: TcpListener, upstream: String) {
    while let Ok((stream, _)) = listener.accept().await {
        let upstream = upstream.clone();
        tokio::spawn(async move { pass(stream, &upstream).await });
    }
}

async fn pass(mut client: TcpStream, upstream: &str) -> io::Result<()> {
    let mut server = TcpStream::connect(upstream).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::Line;
    use std::{
        io::{ErrorKind, Read, Write},
        net::{TcpListener, TcpStream},
        thread,
    };

    #[test]
    fn whoever_calls_while_it_is_cut_is_refused_and_answered_again_once_it_is_mended() {
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", server.local_addr().unwrap());
        thread::spawn(move || {
            for stream in server.incoming() {
                stream.unwrap().write_all(b"hello").unwrap();
            }
        });
        let mut line = Line::start(&url).unwrap();
        let address = line.url().trim_start_matches("http://").to_owned();
        let call = || -> std::io::Result<String> {
            let mut said = String::new();
            TcpStream::connect(&address)?.read_to_string(&mut said)?;
            Ok(said)
        };
        assert_eq!(call().unwrap(), "hello");
        line.cut().unwrap();
        assert_eq!(call().unwrap_err().kind(), ErrorKind::ConnectionRefused);
        line.mend().unwrap();
        assert_eq!(call().unwrap(), "hello");
    }
}
