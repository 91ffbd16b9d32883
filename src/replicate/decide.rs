//! What `sync` does with what it finds. Pure.

use super::found::Found;
use crate::cluster::{Code, Finding, Level};
use crate::logical::{FoundSubscription, RunId, SlotFault, judge_slot};
use crate::pg::{Printable, Side, SlotName};
use crate::remedy::{Command, Remedy, Setting};
use crate::status::{Names, copy_again};

/// What `sync` does with a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Creates the subscription on the slot that the copy has left.
    Create,
    /// Creates the subscription with a slot, and has the server copy all rows.
    CreateAndCopy,
    /// Changes the subscription that exists; nothing of it: it runs.
    Repair(Repair),
}

/// What a subscription that exists lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Repair {
    /// It is detached from the slot.
    pub(super) attach: bool,
    /// It does not ask for every publication.
    pub(super) request: bool,
    /// It reaches the source by another connection string.
    pub(super) reconnect: bool,
    /// It is disabled.
    pub(super) enable: bool,
}

/// What decides beside the objects.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// The database on the source.
    pub(super) database: &'a str,
    pub(super) names: &'a Names,
    /// Whether the server may copy all rows where no slot exists.
    pub(super) copy_data: bool,
    /// The two clusters.
    pub(super) run: &'a RunId,
    /// The database on the target.
    pub(super) target: &'a str,
    /// Whether the state records a copy that is not complete.
    pub(super) is_unfinished: bool,
    /// Whether an existing subscription is to reach the source by another connection string.
    pub(super) reconnects: bool,
}

/// Decides what to do, or why nothing can be done.
pub(super) fn decide(found: &Found, asked: Asked<'_>) -> Result<Action, Box<Finding>> {
    if let Some(foreign) = refuse_foreign(found, asked) {
        return refused(foreign.in_database(asked.database));
    }
    let decided = match &found.subscription {
        _ if found.is_standby => Err(Box::new(standby())),
        Some(subscription) => decide_existing(found, subscription, asked),
        None => decide_new(found, asked),
    };
    decided.map_err(|finding| match finding.database {
        Some(_) => finding,
        None => Box::new(finding.in_database(asked.database)),
    })
}

fn refused(finding: Finding) -> Result<Action, Box<Finding>> {
    Err(Box::new(finding))
}

fn refuse(code: Code, side: Side, message: impl Into<String>) -> Finding {
    Finding::new(code, Level::Error, side, message)
}

fn standby() -> Finding {
    let message = "is a standby: publication and slot of a replication are those of its primary";
    refuse(Code::Standby, Side::Source, message).remedy("connect to its primary")
}

/// A publication of our name that a run into another target has created is not ours.
fn refuse_foreign(found: &Found, asked: Asked<'_>) -> Option<Finding> {
    let mark = found.mark()?;
    if mark.is_of(asked.run, asked.target) {
        return None;
    }
    let name = &asked.names.publication;
    let message = format!(
        "publication {name} belongs to another replication, into database {} of another target: {}",
        Printable(&mark.target),
        mark.describe()
    );
    let code = Code::PublicationOfOtherTarget;
    let found = refuse(code, Side::Source, message).about(name);
    Some(found.remedy(Remedy::pass_to(
        Setting::Publication,
        "name the publication of this target",
    )))
}

/// Decides about a copy by the target's server that was begun. A slot of it that nobody reads from has no rows behind it.
fn decide_native(found: &Found, name: &SlotName, asked: Asked<'_>) -> Result<Action, Box<Finding>> {
    if let Some(pid) = found.slot.as_ref().and_then(|slot| slot.active_pid) {
        return refused(slot_in_use(name, pid));
    }
    match asked.copy_data {
        true => Ok(Action::CreateAndCopy),
        false => {
            let message =
                "the copy of its rows by the target's server was begun, and has no subscription";
            let found = refuse(Code::CopyIncomplete, Side::Source, message);
            refused(found.remedy(Remedy::pass_to(Setting::CopyData, "begin it again")))
        }
    }
}

fn slot_in_use(name: &SlotName, pid: i32) -> Finding {
    let message = format!("replication slot {name} is in use by process {pid} of the source");
    let found = refuse(Code::SlotActive, Side::Source, message).about(name);
    found.remedy("end what reads from it; nothing of this program does")
}

fn decide_new(found: &Found, asked: Asked<'_>) -> Result<Action, Box<Finding>> {
    let Names {
        publication,
        slot: Some(name),
        ..
    } = asked.names
    else {
        let message = "the slot of this replication cannot be named";
        return refused(refuse(Code::SlotMissing, Side::Source, message));
    };
    let Some(listed) = &found.publication else {
        return match (&found.slot, asked.copy_data) {
            (None, true) => Ok(Action::CreateAndCopy),
            (None, false) => refused(no_slot(name)),
            (Some(_), _) => {
                let message = format!("publication {publication} was dropped");
                let found = refuse(Code::PublicationMissing, Side::Source, message);
                refused(found.about(publication).remedy(copy_again()))
            }
        };
    };
    if found.mark().is_some_and(|mark| mark.native) {
        return decide_native(found, name, asked);
    }
    let is_complete = listed.mark.as_ref().is_none_or(|mark| mark.complete);
    if asked.is_unfinished || !is_complete {
        let message = "the copy is not complete: its tables are not at the position of the slot";
        let found = refuse(Code::CopyIncomplete, Side::Source, message).about(publication);
        return refused(found.remedy(Remedy::invoke("complete the copy", Command::Init)));
    }
    let Some(slot) = &found.slot else {
        return match asked.copy_data {
            true => Ok(Action::CreateAndCopy),
            false => refused(no_slot(name)),
        };
    };
    if let Some(pid) = slot.active_pid {
        return refused(slot_in_use(name, pid));
    }
    if let Some(broken) = found.broken.first() {
        let reasons: Vec<String> = found.broken.iter().map(ToString::to_string).collect();
        let message = format!(
            "replication cannot start where the copy has ended: {}",
            reasons.join("; ")
        );
        let code = match broken {
            crate::cluster::Broken::Slot(..) => Code::SlotLost,
            crate::cluster::Broken::SlotElsewhere(_) => Code::SlotOfOtherDatabase,
            crate::cluster::Broken::SlotMoved { .. } => Code::SlotMoved,
            crate::cluster::Broken::PublicationGone(_)
            | crate::cluster::Broken::PublicationTaken(_)
            | crate::cluster::Broken::PublicationIncomplete(_)
            | crate::cluster::Broken::PublicationAltered(..) => Code::PublicationChanged,
        };
        return refused(
            refuse(code, Side::Source, message)
                .about(name)
                .remedy(copy_again()),
        );
    }
    if !found.is_point_known {
        let message = "the position at which the copy has ended is not recorded here: the slot may have moved since";
        let found = refuse(Code::SlotMoved, Side::Source, message).about(name);
        let state = "start it on the machine that has the state of the copy";
        return refused(
            found
                .remedy(Remedy::pass_to(Setting::StateDir, state))
                .remedy(copy_again()),
        );
    }
    Ok(Action::Create)
}

fn no_slot(name: &SlotName) -> Finding {
    let message =
        format!("replication slot {name}, from which replication would start, does not exist");
    refuse(Code::SlotMissing, Side::Source, message)
        .about(name)
        .remedy(Remedy::invoke("copy with replication", Command::Init))
        .remedy(Remedy::pass_to(
            Setting::CopyData,
            "have the target's server copy all rows into empty tables",
        ))
}

fn decide_existing(
    found: &Found,
    subscription: &FoundSubscription,
    asked: Asked<'_>,
) -> Result<Action, Box<Finding>> {
    let name = &subscription.name;
    let ours = asked.names.slot.as_ref();
    if let (Some(slot), Some(ours)) = (&subscription.slot, ours)
        && slot != ours.as_str()
    {
        let slot = Printable(slot);
        let message =
            format!("subscription {name} reads from slot {slot}, which is not this run's");
        let found = refuse(Code::OtherSubscription, Side::Target, message).about(name);
        return refused(
            found
                .remedy(Remedy::pass_to(
                    Setting::Subscription,
                    "give this replication another name",
                ))
                .remedy("remove it if nobody uses it"),
        );
    }
    if found.is_disabled_by_error {
        let message = format!(
            "subscription {name} was disabled by an error of its apply worker (disable_on_error)"
        );
        let found = refuse(Code::SubscriptionDisabled, Side::Target, message).about(name);
        return refused(
            found
                .remedy("read the error in the target's server log, and remove its cause")
                .remedy(format!("then run: ALTER SUBSCRIPTION {name} ENABLE;")),
        );
    }
    let fault = judge_slot(found.slot.as_ref(), None);
    if let Some(fault @ (SlotFault::Gone | SlotFault::Lost(_))) = fault {
        let slot = ours.map_or_else(String::new, ToString::to_string);
        let code = match fault {
            SlotFault::Gone => Code::SlotMissing,
            SlotFault::Lost(_) | SlotFault::Unreserved | SlotFault::KeepsTooMuch { .. } => {
                Code::SlotLost
            }
        };
        let message = format!("replication slot {slot} {fault}");
        let found = refuse(code, Side::Source, message).about(&slot);
        return refused(found.remedy(copy_again()));
    }
    let Some(publication) = &found.publication else {
        let publication = &asked.names.publication;
        let message = format!("publication {publication} was dropped");
        let found = refuse(Code::PublicationMissing, Side::Source, message).about(publication);
        return refused(found.remedy(copy_again()));
    };
    let is_complete = publication.mark.as_ref().is_none_or(|mark| mark.complete);
    if (asked.is_unfinished || !is_complete) && !found.mark().is_some_and(|mark| mark.native) {
        let message = "the copy is not complete: its tables are not at the position of the slot";
        let found = refuse(Code::CopyIncomplete, Side::Source, message);
        return refused(found.remedy(Remedy::invoke("complete the copy", Command::Init)));
    }
    let mut odd = publication.odd_options(publication.definition().via_root);
    odd.extend(found.publication_changes.iter().cloned());
    if !odd.is_empty() {
        let message = format!(
            "publication {} was changed: {}",
            publication.name,
            odd.join("; ")
        );
        let found = refuse(Code::PublicationChanged, Side::Source, message);
        return refused(found.about(&publication.name).remedy(copy_again()));
    }
    Ok(Action::Repair(Repair {
        attach: subscription.slot.is_none(),
        request: !found.unasked_publications().is_empty(),
        reconnect: asked.reconnects,
        enable: !subscription.is_enabled,
    }))
}

impl Repair {
    /// Whether there is nothing to change.
    pub(super) const fn is_nothing(self) -> bool {
        !self.attach && !self.request && !self.reconnect && !self.enable
    }
}

#[cfg(test)]
mod tests;
