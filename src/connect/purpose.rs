/// What a session is for; decides its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Reading catalogs: read-only.
    Introspect,
    /// COPY out of the source: read-only.
    CopyOut,
    /// COPY into the target.
    CopyIn,
    /// DDL, index builds, sequence values on the target.
    Build,
    /// Control statements on the source that may not be read-only: locks, slots.
    Control,
}
