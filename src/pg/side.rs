use std::fmt;

/// One of the two servers of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The server that is read.
    Source,
    /// The server that is written.
    Target,
}

impl Side {
    /// Both sides, the source first.
    pub const ALL: [Self; 2] = [Self::Source, Self::Target];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Target => "target",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One value for each side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sides<T> {
    /// The value of the source.
    pub source: T,
    /// The value of the target.
    pub target: T,
}

impl<T> Sides<T> {
    /// Builds the values by one function, the source's first.
    pub fn from_fn(mut value: impl FnMut(Side) -> T) -> Self {
        let source = value(Side::Source);
        let target = value(Side::Target);
        Self { source, target }
    }

    /// Returns the value of a side.
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Source => &self.source,
            Side::Target => &self.target,
        }
    }

    /// Borrows both values.
    pub fn as_ref(&self) -> Sides<&T> {
        Sides {
            source: &self.source,
            target: &self.target,
        }
    }

    /// Applies a function to both values, the source's first.
    pub fn map<U>(self, mut change: impl FnMut(T) -> U) -> Sides<U> {
        Sides {
            source: change(self.source),
            target: change(self.target),
        }
    }

    /// Returns each side with its value, the source first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, &T)> {
        [(Side::Source, &self.source), (Side::Target, &self.target)].into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_keeps_its_value() {
        let sides = Sides::from_fn(|side| format!("the {side}"));
        assert_eq!(sides.get(Side::Source), "the source");
        assert_eq!(
            sides.as_ref().map(String::len),
            Sides {
                source: 10,
                target: 10
            }
        );
        let order: Vec<_> = sides.iter().map(|(side, _)| side).collect();
        assert_eq!(order, Side::ALL);
    }
}
