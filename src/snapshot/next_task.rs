//! The choice of a worker's next task: pure, over values that need no lock.

/// What is open when a worker asks for a task. A critical path is in bytes; None: nothing is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OpenWork {
    /// The critical path of the next batch of rows.
    pub(super) rows: Option<u64>,
    /// The critical path of the next task of large objects.
    pub(super) large_objects: Option<u64>,
    /// The critical path of the next step that this worker could take.
    pub(super) step: Option<u64>,
    /// A worker reads from the source.
    pub(super) is_reading: bool,
    /// Nothing is open, and nothing is being done.
    pub(super) is_finished: bool,
}

/// The next task of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Rows,
    LargeObjects,
    Step,
    /// Wait for a change.
    Wait,
    End,
}

impl OpenWork {
    /// Chooses the task with the longest critical path. But one worker reads as long as there is something to
    /// read: otherwise snapshot and locks would last on the source while the target only builds.
    pub(super) fn choose(self) -> Choice {
        let read = self.next_to_read();
        let step = self.step.filter(|_| self.is_reading || read.is_none());
        let longest = step.max(read);
        if longest.is_none() {
            return match self.is_finished {
                true => Choice::End,
                false => Choice::Wait,
            };
        }
        // Of equal paths the one that reads goes first, and releases the source earlier.
        if self.large_objects == longest {
            Choice::LargeObjects
        } else if self.rows == longest {
            Choice::Rows
        } else {
            Choice::Step
        }
    }

    /// Returns the critical path below which a worker takes no further steps, and reads instead; 0 if nothing
    /// waits to be read.
    pub(super) fn least_path_of_steps(self) -> u64 {
        match self.next_to_read() {
            None => 0,
            Some(_) if !self.is_reading => u64::MAX,
            Some(path) => path,
        }
    }

    fn next_to_read(self) -> Option<u64> {
        self.large_objects.max(self.rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(rows: Option<u64>, large_objects: Option<u64>, step: Option<u64>) -> OpenWork {
        OpenWork {
            rows,
            large_objects,
            step,
            is_reading: true,
            is_finished: false,
        }
    }

    #[test]
    fn the_longest_critical_path_is_chosen() {
        let table = [
            (open(Some(5), Some(3), Some(4)), Choice::Rows),
            (open(Some(3), Some(5), Some(4)), Choice::LargeObjects),
            (open(Some(3), Some(4), Some(5)), Choice::Step),
            (open(None, None, Some(0)), Choice::Step),
            (open(Some(0), None, None), Choice::Rows),
            (open(None, None, None), Choice::Wait),
            // Of equal ones that which reads.
            (open(Some(5), None, Some(5)), Choice::Rows),
            (open(Some(5), Some(5), Some(5)), Choice::LargeObjects),
        ];
        for (open, expected) in table {
            assert_eq!(open.choose(), expected, "{open:?}");
        }
    }

    #[test]
    fn one_worker_reads_while_there_is_something_to_read() {
        let nobody_reads = |open| OpenWork {
            is_reading: false,
            ..open
        };
        let table = [
            (open(Some(1), None, Some(9)), Choice::Rows),
            (open(None, Some(1), Some(9)), Choice::LargeObjects),
            (open(None, None, Some(9)), Choice::Step),
            (open(None, None, None), Choice::Wait),
        ];
        for (open, expected) in table {
            assert_eq!(nobody_reads(open).choose(), expected, "{open:?}");
        }
        assert_eq!(
            nobody_reads(open(Some(1), None, None)).least_path_of_steps(),
            u64::MAX
        );
        assert_eq!(open(Some(1), Some(7), None).least_path_of_steps(), 7);
        assert_eq!(
            nobody_reads(open(None, None, None)).least_path_of_steps(),
            0
        );
    }

    #[test]
    fn a_worker_ends_only_when_all_work_has_ended() {
        let finished = OpenWork {
            is_finished: true,
            ..OpenWork::default()
        };
        assert_eq!(finished.choose(), Choice::End);
        assert_eq!(OpenWork::default().choose(), Choice::Wait);
    }
}
