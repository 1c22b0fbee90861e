//! Services in trouble for a while.

use crate::world::Service;
use std::time::Duration;
use tokio::time::Instant;

/// Trouble of the service that a request goes to, from that request on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Outage {
    /// How much of it is in trouble.
    pub extent: Extent,
    /// In what kind of trouble.
    pub shape: Shape,
    /// For how long.
    pub seconds: u64,
}

/// How much of a service is in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// All of Kubernetes, or all of AWS.
    Everything,
    /// The one service of AWS.
    Part,
    /// What is to change something in it.
    Writes,
}

/// What becomes of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shape {
    /// Their connections break.
    Refused,
    /// They are answered with an error.
    Failing(u16),
    /// They are not carried out, and no answer comes.
    Silent,
    /// They are carried out, and no answer comes.
    Unanswered,
    /// Every other one is refused.
    Flapping,
    /// They are carried out eight seconds late.
    Slow,
}

/// How late that is: within the time of a request, beyond that of a lease's.
pub(crate) const SLOW: Duration = Duration::from_secs(8);

impl Outage {
    /// Everything is refused.
    pub const fn away(seconds: u64) -> Self {
        Self::new(Extent::Everything, Shape::Refused, seconds)
    }

    const fn new(extent: Extent, shape: Shape, seconds: u64) -> Self {
        Self {
            extent,
            shape,
            seconds,
        }
    }

    /// All that are tried.
    pub const ALL: [Self; 11] = [
        Self::away(30),
        Self::away(600),
        Self::new(Extent::Everything, Shape::Silent, 60),
        Self::new(Extent::Everything, Shape::Flapping, 120),
        Self::new(Extent::Everything, Shape::Slow, 120),
        Self::new(Extent::Part, Shape::Refused, 300),
        Self::new(Extent::Part, Shape::Failing(429), 60),
        Self::new(Extent::Part, Shape::Failing(500), 60),
        Self::new(Extent::Part, Shape::Unanswered, 60),
        Self::new(Extent::Writes, Shape::Failing(503), 300),
        Self::new(Extent::Writes, Shape::Unanswered, 60),
    ];
}

/// Outages that have begun.
#[derive(Debug, Default)]
pub(crate) struct Outages {
    begun: Vec<Begun>,
    /// How many requests one of them has troubled.
    troubled: usize,
}

#[derive(Debug)]
struct Begun {
    outage: Outage,
    service: Service,
    part: &'static str,
    until: Instant,
    /// How many requests it has met.
    met: u32,
}

impl Outages {
    /// One begins, of the service that a request goes to.
    pub(crate) fn begin(&mut self, outage: Outage, service: Service, part: &'static str) {
        let until = Instant::now() + Duration::from_secs(outage.seconds);
        self.begun.push(Begun {
            outage,
            service,
            part,
            until,
            met: 0,
        });
    }

    /// What becomes of a request; nothing if all is well.
    pub(crate) fn meet(&mut self, service: Service, part: &'static str, write: bool) -> Option<Shape> {
        let now = Instant::now();
        let met = self.begun.iter_mut().filter(|begun| {
            let concerned = match begun.outage.extent {
                Extent::Everything => begun.service == service,
                Extent::Part => begun.part == part,
                Extent::Writes => begun.part == part && write,
            };
            concerned && now < begun.until
        });
        let mut shapes = met.filter_map(|begun| {
            begun.met += 1;
            let shape = begun.outage.shape;
            (shape != Shape::Flapping || begun.met.is_multiple_of(2)).then_some(shape)
        });
        let shape = shapes.next();
        self.troubled += usize::from(shape.is_some());
        shape
    }

    /// How many requests have met trouble so far.
    pub(crate) fn troubled(&self) -> usize {
        self.troubled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(outage: Outage, service: Service, part: &'static str, write: bool) -> Option<Shape> {
        let mut outages = Outages::default();
        outages.begin(outage, Service::Aws, "iam");
        outages.meet(service, part, write)
    }

    #[tokio::test(start_paused = true)]
    async fn an_outage_concerns_as_much_as_it_says_and_ends() {
        let refused = Some(Shape::Refused);
        let of = |extent| Outage::new(extent, Shape::Refused, 30);
        assert_eq!(
            met(of(Extent::Everything), Service::Aws, "lambda", false),
            refused
        );
        assert_eq!(
            met(of(Extent::Everything), Service::Kubernetes, "kubernetes", true),
            None
        );
        assert_eq!(met(of(Extent::Part), Service::Aws, "iam", false), refused);
        assert_eq!(met(of(Extent::Part), Service::Aws, "lambda", false), None);
        assert_eq!(met(of(Extent::Writes), Service::Aws, "iam", true), refused);
        assert_eq!(met(of(Extent::Writes), Service::Aws, "iam", false), None);
        let mut outages = Outages::default();
        outages.begin(of(Extent::Part), Service::Aws, "iam");
        tokio::time::advance(Duration::from_secs(30)).await;
        assert_eq!(outages.meet(Service::Aws, "iam", true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flapping_service_refuses_every_other_request() {
        let mut outages = Outages::default();
        outages.begin(
            Outage::new(Extent::Everything, Shape::Flapping, 30),
            Service::Aws,
            "iam",
        );
        let mut meet = || outages.meet(Service::Aws, "iam", true).is_some();
        assert_eq!([meet(), meet(), meet(), meet()], [false, true, false, true]);
    }
}
