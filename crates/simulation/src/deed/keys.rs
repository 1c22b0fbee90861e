//! The operator's access key, which is replaced or gone.

use crate::{ROTATED, world::World};
use serde_json::{Value, json};

/// Switches of an AWS that knows an access key no more.
pub(super) fn refusing(key: &str) -> Value {
    json!({"invalid_keys": [key]})
}

impl World {
    pub(super) fn rotate_key(&self) {
        let mut state = self.state();
        (state.key, state.rotated) = (Some(ROTATED), true);
        drop(state);
        self.set_switches();
    }

    pub(super) fn lose_key(&self) {
        let Some(key) = self.state().key.take() else {
            return;
        };
        let number = self.state().switched.on(refusing(key));
        self.set_switches();
        self.later(90, move |world| {
            let mut state = world.state();
            state.key = state.key.or(Some(key));
            state.switched.off(number);
            drop(state);
            world.set_switches();
        });
    }
}
