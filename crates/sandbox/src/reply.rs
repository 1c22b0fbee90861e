//! Bodies of answers, and how answers fail to come.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use thiserror::Error;

/// Why a connection is closed instead of an answer being sent.
#[derive(Debug, Error)]
pub(crate) enum Closed {
    #[error("a fault closes the connection")]
    Fault,
    #[error("the request's body could not be read")]
    Unreadable,
}

/// A body that is sent whole, or fails on the way.
#[derive(Debug)]
pub(crate) struct Reply {
    data: Option<Bytes>,
    promised: u64,
    fails: bool,
}

impl Reply {
    pub(crate) fn whole(data: Bytes) -> Self {
        let promised = u64::try_from(data.len()).unwrap_or(u64::MAX);
        Self {
            data: Some(data).filter(|data| !data.is_empty()),
            promised,
            fails: false,
        }
    }

    pub(crate) fn cut(data: &Bytes, length: usize) -> Self {
        let promised = u64::try_from(data.len()).unwrap_or(u64::MAX);
        Self {
            data: Some(data.slice(..length.min(data.len()))),
            promised,
            fails: true,
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Poll::Ready(match (self.data.take(), self.fails) {
            (Some(data), _) => Some(Ok(Frame::data(data))),
            (None, true) => Some(Err(Closed::Fault)),
            (None, false) => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && !self.fails
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
