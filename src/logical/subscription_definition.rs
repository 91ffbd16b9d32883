//! The subscription that replicates a database: `CREATE SUBSCRIPTION` on a slot that exists.

use crate::connect::SubscriptionConninfo;
use crate::pg::{Ident, Literal, ServerVersion, SlotName, Sql};
use crate::sql;

/// A subscription to be created.
#[derive(Clone, Debug)]
pub struct SubscriptionDefinition {
    /// Its name.
    pub name: Ident,
    /// How the target's server reaches the source.
    pub conninfo: SubscriptionConninfo,
    /// The publications.
    pub publications: Vec<Ident>,
    /// The slot.
    pub slot: SlotName,
    /// Whether the slot exists, and with it a consistent copy. Otherwise both are created by the server.
    pub has_slot: bool,
    /// Whether every published value may be sent in binary format.
    pub is_binary: bool,
    /// Whether standbys of the source keep a copy of the slot.
    pub is_failover: bool,
}

impl SubscriptionDefinition {
    /// Renders the statement for a target of this version. The subscription does not run yet. The options that later versions changed the default of are
    /// named, too. `disable_on_error` stays off: a cause that goes away, such as a lock, must not end the replication.
    /// `origin = any`: a source may be a subscriber itself.
    pub fn render(&self, target: ServerVersion) -> Sql {
        let copies = Sql::fixed(match self.has_slot {
            true => "create_slot = false, copy_data = false, enabled = false",
            false => "create_slot = true, copy_data = true, enabled = false",
        });
        let slot = self.slot.as_str();
        let mut options = vec![copies, sql!("slot_name = {}", Literal(slot))];
        let flags = [
            (
                target.has_binary_subscriptions(),
                match self.is_binary {
                    true => "binary = true",
                    false => "binary = false",
                },
            ),
            (
                target.has_binary_subscriptions(),
                match target.has_parallel_apply() {
                    true => "streaming = parallel",
                    false => "streaming = on",
                },
            ),
            (
                target.has_subscription_counters(),
                "two_phase = false, disable_on_error = false",
            ),
            (
                target.has_parallel_apply(),
                "origin = any, run_as_owner = false",
            ),
            (
                target.has_failover_slots() && self.is_failover,
                "failover = true",
            ),
        ];
        let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
        options.extend(flags.map(|(_, option)| Sql::fixed(option)));
        sql!(
            "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH ({})",
            self.name,
            Literal(self.conninfo.expose()),
            Sql::join(&self.publications, ", "),
            Sql::join(options, ", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::{Endpoint, Environment};

    fn definition() -> SubscriptionDefinition {
        let environment = Environment {
            user: Some("me".to_owned()),
            ..Environment::default()
        };
        let source = Endpoint::parse("postgres://h/d", &environment).unwrap();
        SubscriptionDefinition {
            name: Ident::from_catalog("sub"),
            conninfo: source.subscription_conninfo("d'b", ServerVersion::new(170_000)),
            publications: ["p", "p_inserts"].map(Ident::from_catalog).to_vec(),
            slot: SlotName::new("seren_d").unwrap(),
            has_slot: true,
            is_binary: true,
            is_failover: true,
        }
    }

    #[test]
    fn each_version_gets_the_options_that_it_has() {
        let options = |definition: &SubscriptionDefinition, major: u32| {
            let sql = definition.render(ServerVersion::new(major * 10_000));
            sql.as_str().split_once(" WITH ").unwrap().1.to_owned()
        };
        let ours = definition();
        let slot =
            "(create_slot = false, copy_data = false, enabled = false, slot_name = 'seren_d'";
        assert_eq!(options(&ours, 12), format!("{slot})"));
        assert_eq!(
            options(&ours, 14),
            format!("{slot}, binary = true, streaming = on)")
        );
        let late =
            "two_phase = false, disable_on_error = false, origin = any, run_as_owner = false";
        assert_eq!(
            options(&ours, 16),
            format!("{slot}, binary = true, streaming = parallel, {late})")
        );
        assert_eq!(
            options(&ours, 18),
            format!("{slot}, binary = true, streaming = parallel, {late}, failover = true)")
        );
        let first = SubscriptionDefinition {
            has_slot: false,
            is_binary: false,
            is_failover: false,
            ..ours
        };
        assert_eq!(
            options(&first, 14),
            "(create_slot = true, copy_data = true, enabled = false, slot_name = 'seren_d', binary = false, streaming = on)"
        );
    }

    #[test]
    fn names_and_the_connection_string_are_quoted() {
        let sql = definition().render(ServerVersion::new(170_000));
        let start = "CREATE SUBSCRIPTION \"sub\" CONNECTION  E'dbname=''d\\\\''b''";
        assert!(sql.as_str().starts_with(start), "{}", sql.as_str());
        assert!(
            sql.as_str()
                .contains("PUBLICATION \"p\", \"p_inserts\" WITH")
        );
    }
}
