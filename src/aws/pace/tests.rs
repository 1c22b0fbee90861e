use super::*;
use futures::FutureExt;
use std::pin::pin;
use tokio::task::JoinSet;

fn bucket(per_second: f64, burst: u32) -> Arc<Bucket> {
    Bucket::new(
        Service::ApiGateway,
        Rate { per_second, burst },
        Counter::default(),
    )
}

async fn spend(bucket: &Arc<Bucket>, object: &Arc<str>, urgency: Urgency) {
    bucket.acquire(object, urgency).await.spend();
}

/// Lets `many` requests of an object wait, and notes in `order` when each is granted.
fn queue(
    tasks: &mut JoinSet<()>,
    bucket: &Arc<Bucket>,
    order: &Arc<Mutex<Vec<&'static str>>>,
    (object, urgency, many): (&'static str, Urgency, usize),
) {
    for _ in 0..many {
        let (bucket, order) = (Arc::clone(bucket), Arc::clone(order));
        tasks.spawn(async move {
            spend(&bucket, &Arc::from(object), urgency).await;
            order.lock().unwrap().push(object);
        });
    }
}

async fn settle() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

#[tokio::test(start_paused = true)]
async fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
    let (bucket, object) = (bucket(5.0, 20), Arc::from("a"));
    let began = Instant::now();
    for _ in 0..20 {
        spend(&bucket, &object, Urgency::Create).await;
    }
    assert_eq!(began.elapsed(), Duration::ZERO);
    for _ in 0..80 {
        spend(&bucket, &object, Urgency::Create).await;
    }
    let took = began.elapsed();
    assert!(took >= Duration::from_secs(16), "{took:?}");
    assert!(took <= Duration::from_millis(16_100), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn many_waiters_together_get_no_more_than_the_rate() {
    let (bucket, order) = (bucket(5.0, 1), Arc::default());
    let mut tasks = JoinSet::new();
    queue(&mut tasks, &bucket, &order, ("a", Urgency::Create, 51));
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert_eq!(order.lock().unwrap().len(), 26);
}

#[tokio::test(start_paused = true)]
async fn behind_three_hundred_of_another_object_the_second_grant_at_latest_is_ours() {
    for before in 0..10 {
        let (bucket, order) = (bucket(5.0, 1), Arc::default());
        let mut tasks = JoinSet::new();
        queue(&mut tasks, &bucket, &order, ("long", Urgency::Create, 300));
        settle().await;
        tokio::time::sleep(Duration::from_millis(210 * before)).await;
        let granted = order.lock().unwrap().len();
        queue(&mut tasks, &bucket, &order, ("short", Urgency::Create, 1));
        tokio::time::sleep(Duration::from_millis(420)).await;
        let order = order.lock().unwrap();
        assert!(
            order.iter().skip(granted).take(2).any(|o| *o == "short"),
            "{before}: {order:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn of_many_long_queues_one_ends_after_the_other_and_nobody_waits_behind_them() {
    const OBJECTS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    const LONG: usize = 30;
    let (bucket, order) = (bucket(5.0, 1), Arc::default());
    let mut tasks = JoinSet::new();
    for object in OBJECTS {
        queue(&mut tasks, &bucket, &order, (object, Urgency::Resync, LONG));
        settle().await;
    }
    while tasks.join_next().await.is_some() {}
    let order = order.lock().unwrap();
    for (ended, object) in (1..).zip(OBJECTS) {
        let last = order.iter().rposition(|granted| *granted == object).unwrap();
        assert!(last < 2 * LONG * ended, "{object} ended with grant {last}");
        let first = order.iter().position(|granted| *granted == object).unwrap();
        assert!(first <= 2 * OBJECTS.len(), "{object} began with grant {first}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_tightens_goes_before_what_creates() {
    let (bucket, order) = (bucket(5.0, 1), Arc::default());
    let mut tasks = JoinSet::new();
    queue(&mut tasks, &bucket, &order, ("creates", Urgency::Create, 4));
    settle().await;
    queue(&mut tasks, &bucket, &order, ("tightens", Urgency::Tighten, 2));
    while tasks.join_next().await.is_some() {}
    let order = order.lock().unwrap();
    assert_eq!(
        *order,
        ["creates", "tightens", "tightens", "creates", "creates", "creates"]
    );
}

#[tokio::test(start_paused = true)]
async fn urgent_work_without_end_does_not_stop_routine() {
    let (bucket, order) = (bucket(5.0, 1), Arc::default());
    let mut tasks = JoinSet::new();
    queue(&mut tasks, &bucket, &order, ("resyncs", Urgency::Resync, 5));
    settle().await;
    queue(&mut tasks, &bucket, &order, ("tightens", Urgency::Tighten, 1000));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let order = order.lock().unwrap();
    let routine = order
        .iter()
        .skip(1)
        .filter(|object| **object == "resyncs")
        .count();
    assert_eq!(routine, 4, "{order:?}");
}

#[tokio::test(start_paused = true)]
async fn who_stops_waiting_takes_no_token() {
    let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
    spend(&bucket, &object, Urgency::Create).await;
    for _ in 0..10 {
        let waiting = bucket.acquire(&object, Urgency::Create);
        assert!(
            tokio::time::timeout(Duration::from_millis(10), waiting)
                .await
                .is_err()
        );
    }
    let began = Instant::now();
    spend(&bucket, &object, Urgency::Create).await;
    assert!(began.elapsed() <= Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_grant_that_nobody_took_and_a_permit_unused_go_back() {
    let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
    drop(bucket.acquire(&object, Urgency::Create).await);
    assert!((bucket.tokens() - 1.0).abs() < 1e-9);
    spend(&bucket, &object, Urgency::Create).await;
    {
        let mut granted = pin!(bucket.acquire(&object, Urgency::Create));
        assert!(granted.as_mut().now_or_never().is_none());
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Another who waits hands the token to the first in the queue, who then goes away.
        let other = bucket.acquire(&object, Urgency::Create);
        assert!(pin!(other).now_or_never().is_none());
    }
    assert!((bucket.tokens() - 1.0).abs() < 1e-9);
}

#[tokio::test(start_paused = true)]
async fn a_throttle_pauses_everybody_longer_each_time_and_a_good_answer_ends_that() {
    let (bucket, object) = (bucket(0.0, 0), Arc::from("a"));
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        let began = Instant::now();
        let mut permit = bucket.acquire(&object, Urgency::Create).await;
        permit.spend();
        permit.throttled();
        let mut next = bucket.acquire(&object, Urgency::Create).await;
        next.spend();
        assert_eq!(began.elapsed().as_secs(), pause);
    }
    let mut permit = bucket.acquire(&object, Urgency::Create).await;
    permit.spend();
    permit.answered();
    permit.throttled();
    let began = Instant::now();
    spend(&bucket, &object, Urgency::Create).await;
    assert_eq!(began.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_requests_go_out_one_by_one() {
    let (bucket, object) = (bucket(1.0, 20), Arc::from("a"));
    let mut permit = bucket.acquire(&object, Urgency::Create).await;
    permit.spend();
    permit.throttled();
    let began = Instant::now();
    for _ in 0..3 {
        assert!(bucket.tokens() < 1.0);
        spend(&bucket, &object, Urgency::Create).await;
    }
    assert_eq!(began.elapsed().as_secs(), 4);
}

#[tokio::test(start_paused = true)]
async fn requests_throttled_together_make_one_pause() {
    let (bucket, object) = (bucket(0.0, 0), Arc::from("a"));
    let permit = || async {
        let mut permit = bucket.acquire(&object, Urgency::Create).await;
        permit.spend();
        permit
    };
    let (one, other) = (permit().await, permit().await);
    one.throttled();
    other.throttled();
    let began = Instant::now();
    permit().await;
    assert_eq!(began.elapsed().as_secs(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_sent_without_leave_is_made_up_for() {
    let (bucket, object) = (bucket(1.0, 1), Arc::from("a"));
    bucket.debit();
    bucket.debit();
    let began = Instant::now();
    spend(&bucket, &object, Urgency::Create).await;
    assert_eq!(began.elapsed().as_secs(), 2);
}
