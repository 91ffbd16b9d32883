//! Subscriptions are not created: the statement that creates one is reported, to be run after the cutover.

use crate::catalog::model::SubscriptionDetails;
use crate::pg::{Ident, Literal, ServerVersion, Sql};
use crate::sql;

/// `CREATE SUBSCRIPTION …` without a slot, disabled and not connecting. Its password is masked.
pub(crate) fn render_subscription(
    name: &Ident,
    details: &SubscriptionDetails,
    target: ServerVersion,
) -> Sql {
    let mut options = vec![
        Sql::fixed("connect = false"),
        Sql::fixed("slot_name = NONE"),
    ];
    if details.synchronous_commit != "off" {
        let value = Literal(&details.synchronous_commit);
        options.push(sql!("synchronous_commit = {}", value));
    }
    if target.has_binary_subscriptions() {
        // Its default has changed, so it is always said.
        options.push(sql!("streaming = {}", Literal(&details.streaming)));
    }
    let flags = [
        (
            details.binary && target.has_binary_subscriptions(),
            "binary = true",
        ),
        (
            details.two_phase && target.has_publication_filters(),
            "two_phase = true",
        ),
        (
            details.disable_on_error && target.has_publication_filters(),
            "disable_on_error = true",
        ),
        (
            !details.password_required && target.has_membership_options(),
            "password_required = false",
        ),
        (
            details.run_as_owner && target.has_membership_options(),
            "run_as_owner = true",
        ),
        (
            details.origin != "any" && target.has_membership_options(),
            "origin = none",
        ),
        (
            details.failover && target.has_maintain_privilege(),
            "failover = true",
        ),
    ];
    let flags = flags.into_iter().filter(|(is_set, _)| *is_set);
    options.extend(flags.map(|(_, option)| Sql::fixed(option)));
    sql!(
        "CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION {} WITH ({})",
        name,
        Literal(&details.connection),
        Sql::join(&details.publications, ", "),
        Sql::join(options, ", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_older_servers_did_is_said_to_newer_ones() {
        let details = SubscriptionDetails {
            connection: "host='h' password='***'".to_owned(),
            publications: vec![Ident::from_catalog("p"), Ident::from_catalog("Q q")],
            synchronous_commit: "off".to_owned(),
            binary: false,
            streaming: "off".to_owned(),
            two_phase: false,
            disable_on_error: false,
            password_required: true,
            run_as_owner: true,
            origin: "any".to_owned(),
            failover: false,
        };
        let name = Ident::from_catalog("s");
        let render = |major: u32| {
            let sql = render_subscription(&name, &details, ServerVersion::new(major * 10_000));
            sql.as_str().split_once(" WITH ").unwrap().1.to_owned()
        };
        assert_eq!(render(12), "(connect = false, slot_name = NONE)");
        assert_eq!(
            render(18),
            "(connect = false, slot_name = NONE, streaming = 'off', run_as_owner = true)"
        );
    }
}
