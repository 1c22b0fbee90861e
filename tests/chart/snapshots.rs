//! The chart as a whole, for reading: what each example in `ci/` of the chart renders to.

use jwthttpapi_test_support::places;

use crate::ground::{EXAMPLES, example, fresh, rendered};

/// The definition is generated, long, and held against its source elsewhere.
const DEFINITION: &str = "# Source: jwthttpapi/templates/crd.yaml\n";

#[test]
fn the_examples_render_to_their_snapshots() {
    for name in EXAMPLES {
        let text = rendered(&example(name)).unwrap();
        let documents: Vec<&str> = text.split("---\n").collect();
        let shown = documents
            .into_iter()
            .filter(|document| !document.starts_with(DEFINITION));
        let path = places::repository().join(format!("tests/chart/snapshots/{name}.yaml"));
        fresh(&path, &shown.collect::<Vec<_>>().join("---\n"));
    }
}
