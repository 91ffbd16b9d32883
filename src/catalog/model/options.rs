/// Options of an object as the catalog holds them: `name=value`, split at the first `=`.
pub type Options = Vec<(String, String)>;
