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
    promised: u64,
    rest: Rest,
}

/// What is still to come of a body.
#[derive(Debug)]
enum Rest {
    Data(Bytes),
    /// Part of the data, then a failure.
    Part(Bytes),
    /// A moment in which the part is sent: a failure right after it would make the server forget the part.
    Pause,
    Failure,
    Nothing,
}

impl Reply {
    pub(crate) fn whole(data: Bytes) -> Self {
        Self {
            promised: length(&data),
            rest: if data.is_empty() {
                Rest::Nothing
            } else {
                Rest::Data(data)
            },
        }
    }

    /// Promises all of the data and sends only so many bytes.
    pub(crate) fn cut(data: &Bytes, sent: usize) -> Self {
        Self {
            promised: length(data),
            rest: Rest::Part(data.slice(..sent.min(data.len()))),
        }
    }
}

fn length(data: &Bytes) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Closed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Data(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
            Rest::Part(data) => {
                self.rest = Rest::Pause;
                Poll::Ready(Some(Ok(Frame::data(data))))
            }
            Rest::Pause => {
                self.rest = Rest::Failure;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Rest::Failure => Poll::Ready(Some(Err(Closed::Fault))),
            Rest::Nothing => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.rest, Rest::Nothing)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.promised)
    }
}
