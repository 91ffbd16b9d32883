use super::*;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn role(name: &str) -> Grantee {
    Grantee::Role(Ident::from_catalog(name))
}

/// `alice=r*w/owner`, grantee empty for PUBLIC.
fn acl(items: &[&str]) -> Acl {
    let mut acl = Acl::default();
    for item in items {
        let (grantee, rest) = item.split_once('=').unwrap();
        let (letters, grantor) = rest.split_once('/').unwrap();
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let privilege = match letter {
                'r' => Privilege::Select,
                'a' => Privilege::Insert,
                'm' => Privilege::Maintain,
                _ => Privilege::Update,
            };
            let grantable = letters.next_if_eq(&'*').is_some();
            let grantee = match grantee {
                "" => Grantee::Public,
                name => role(name),
            };
            acl.add(grantee, Ident::from_catalog(grantor), privilege, grantable);
        }
    }
    acl
}

fn steps(base: &[&str], wanted: &[&str]) -> Vec<String> {
    let owner = Ident::from_catalog("o");
    plan_changes(&acl(base), &acl(wanted), &owner)
        .into_iter()
        .map(|change| {
            let words: Vec<_> = change.privileges.iter().map(|p| p.word()).collect();
            let grantee = match change.grantee {
                Grantee::Public => "PUBLIC".to_owned(),
                Grantee::Role(name) => name.to_string(),
            };
            format!(
                "{:?} {} {grantee} by {}",
                change.kind,
                words.join("+"),
                change.grantor
            )
        })
        .collect()
}

#[test]
fn equal_lists_need_nothing() {
    assert!(steps(&["o=raw/o"], &["o=raw/o"]).is_empty());
    assert!(steps(&["o=r*aw/o"], &["o=r*aw/o"]).is_empty());
}

#[test]
fn an_owner_keeps_the_grant_options_that_are_written_down() {
    assert_eq!(
        steps(&["o=ra/o"], &["a=r*/o", "o=r*/a", "o=r*a/o"]),
        [
            "GrantWithOption SELECT a by o",
            "GrantWithOption SELECT o by a",
            "GrantWithOption SELECT o by o",
        ]
    );
}

#[test]
fn a_grant_waits_for_the_option_it_rests_on() {
    assert_eq!(
        steps(&["o=raw/o"], &["o=raw/o", "c=r/b", "b=r*/a", "a=r*w/o"]),
        [
            "Grant UPDATE a by o",
            "GrantWithOption SELECT a by o",
            "GrantWithOption SELECT b by a",
            "Grant SELECT c by b",
        ]
    );
}

#[test]
fn what_everyone_has_by_default_is_revoked() {
    assert_eq!(
        steps(&["=r/o", "o=rm/o"], &["o=r/o"]),
        ["Revoke MAINTAIN o by o", "Revoke SELECT PUBLIC by o"]
    );
}

#[test]
fn a_grant_option_alone_is_added_and_taken() {
    assert_eq!(
        steps(&["a=r/o"], &["a=r*/o"]),
        ["GrantWithOption SELECT a by o"]
    );
    assert_eq!(
        steps(&["a=r*/o"], &["a=r/o"]),
        ["RevokeGrantOption SELECT a by o"]
    );
}

#[test]
fn a_chain_is_revoked_from_its_end() {
    assert_eq!(
        steps(&["a=r*/o", "b=r/a"], &[]),
        ["Revoke SELECT b by a", "Revoke SELECT a by o"]
    );
}

/// What the list is after a step, as the server would make it.
fn take(acl: &mut Acl, step: &Change) {
    for privilege in &step.privileges {
        let (grantee, grantor) = (step.grantee.clone(), step.grantor.clone());
        match step.kind {
            ChangeKind::Grant => acl.add(grantee, grantor, *privilege, false),
            ChangeKind::GrantWithOption => acl.add(grantee, grantor, *privilege, true),
            ChangeKind::Revoke | ChangeKind::RevokeGrantOption => {
                let mut items = acl.items.iter_mut();
                let item = items
                    .find(|item| item.grantee == grantee && item.grantor == grantor)
                    .unwrap();
                item.privileges.remove(privilege).unwrap();
                if step.kind == ChangeKind::RevokeGrantOption {
                    item.privileges.insert(*privilege, false);
                }
            }
        }
    }
    acl.items.retain(|item| !item.privileges.is_empty());
}

fn sorted(mut acl: Acl) -> Acl {
    acl.items
        .sort_by(|a, b| (&a.grantee, &a.grantor).cmp(&(&b.grantee, &b.grantor)));
    acl
}

fn any_acl() -> impl Strategy<Value = Acl> {
    let privilege = select(vec![
        Privilege::Select,
        Privilege::Insert,
        Privilege::Update,
    ]);
    let item = (
        select(vec!["", "o", "a", "b"]),
        select(vec!["o", "a"]),
        privilege,
        any::<bool>(),
    );
    vec(item, 0..12).prop_map(|items| {
        let mut acl = Acl::default();
        for (grantee, grantor, privilege, grantable) in items {
            let grantee = if grantee.is_empty() {
                Grantee::Public
            } else {
                role(grantee)
            };
            acl.add(grantee, Ident::from_catalog(grantor), privilege, grantable);
        }
        acl
    })
}

proptest! {
    #[test]
    fn the_steps_lead_from_one_list_to_the_other(base in any_acl(), wanted in any_acl()) {
        let mut reached = base.clone();
        for step in plan_changes(&base, &wanted, &Ident::from_catalog("o")) {
            take(&mut reached, &step);
        }
        prop_assert_eq!(sorted(reached), sorted(wanted));
    }
}
