//! The kinds of objects that are simulated.

/// A kind, and where it is found.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) plural: &'static str,
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) name: &'static str,
    /// Whether it is a custom resource: with a generation, a status subresource and a status by default.
    pub(super) custom: bool,
    /// Whether a PUT of what is not there creates it.
    pub(super) put_creates: bool,
}

const CUSTOM: Kind = Kind {
    plural: "jwthttpapis",
    group: "jwthttpapi.dev",
    version: "v1alpha1",
    name: "JwtHttpApi",
    custom: true,
    put_creates: false,
};
const BUILT_IN: [Kind; 3] = [
    Kind {
        plural: "leases",
        group: "coordination.k8s.io",
        version: "v1",
        name: "Lease",
        custom: false,
        put_creates: true,
    },
    Kind {
        plural: "events",
        group: "events.k8s.io",
        version: "v1",
        name: "Event",
        custom: false,
        put_creates: true,
    },
    Kind {
        plural: "namespaces",
        group: "",
        version: "v1",
        name: "Namespace",
        custom: false,
        put_creates: false,
    },
];

impl Kind {
    /// The kind of this plural; one that is not known is taken for the custom resource.
    pub(super) fn of(plural: &str) -> &'static Self {
        BUILT_IN
            .iter()
            .find(|kind| kind.plural == plural)
            .unwrap_or(&CUSTOM)
    }

    /// The kind that a path names.
    pub(super) fn at(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        let kind = Self::of(plural);
        (kind.group == group && kind.version == version && kind.plural == plural).then_some(kind)
    }

    /// `jwthttpapi.dev/v1alpha1`
    pub(super) fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `jwthttpapis.jwthttpapi.dev`
    pub(super) fn resource(&self) -> String {
        self.within_group(self.plural)
    }

    /// `JwtHttpApi.jwthttpapi.dev`
    pub(super) fn group_kind(&self) -> String {
        self.within_group(self.name)
    }

    fn within_group(&self, name: &str) -> String {
        if self.group.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.group)
        }
    }
}
