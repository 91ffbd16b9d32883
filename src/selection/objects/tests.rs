use super::*;

fn object(kind: ObjectKind, path: &str) -> OfferedObject {
    let parts: Vec<&str> = path.split('.').collect();
    let (schema, relation, name) = match parts[..] {
        [schema, name] => (schema, None, name),
        [schema, relation, name] => (schema, Some(relation), name),
        _ => panic!("{path}"),
    };
    OfferedObject {
        object: NamedObject {
            kind,
            schema: Ident::from_catalog(schema),
            relation: relation.map(Ident::from_catalog),
            name: Ident::from_catalog(name),
        },
        extension: None,
        is_inherited: false,
    }
}

fn offered() -> AllObjects {
    let app = vec![
        object(ObjectKind::View, "public.names"),
        object(ObjectKind::View, "crm.names"),
        object(ObjectKind::Function, "public.f"),
        object(ObjectKind::Table, "public.users"),
        object(ObjectKind::Policy, "public.users.own"),
        object(ObjectKind::Trigger, "public.users.stamp"),
        object(ObjectKind::Trigger, "public.orders.stamp"),
        object(ObjectKind::Index, "public.users.users_pkey"),
        object(ObjectKind::Constraint, "public.users.users_pkey"),
    ];
    let crm = vec![
        object(ObjectKind::View, "public.names"),
        object(ObjectKind::View, "public.alone"),
    ];
    BTreeMap::from([("app".to_owned(), app), ("crm".to_owned(), crm)])
}

fn entry(text: &str) -> ObjectEntry {
    ObjectEntry::new(text.split('.').map(str::to_owned).collect()).unwrap()
}

fn names(text: &str) -> Vec<String> {
    let resolved = resolve_objects(&[entry(text)], &offered()).unwrap();
    let databases = resolved.databases.iter();
    let names = databases.flat_map(|(database, objects)| {
        objects
            .iter()
            .map(move |object| format!("{database}: {object}"))
    });
    names.collect()
}

#[test]
fn an_entry_is_read_as_documented() {
    for (text, expected) in [
        (
            "names",
            &["app: view public.names", "crm: view public.names"][..],
        ),
        ("crm.names", &["app: view crm.names"]),
        ("crm.alone", &["crm: view public.alone"]),
        ("app.crm.names", &["app: view crm.names"]),
        (
            "stamp",
            &[
                "app: trigger stamp on public.orders",
                "app: trigger stamp on public.users",
            ],
        ),
        (
            "public.users.stamp",
            &["app: trigger stamp on public.users"],
        ),
        (
            "app.public.users.stamp",
            &["app: trigger stamp on public.users"],
        ),
        (
            "users_pkey",
            &[
                "app: index users_pkey on public.users",
                "app: constraint users_pkey on public.users",
            ],
        ),
    ] {
        assert_eq!(names(text), expected, "{text}");
    }
}

#[test]
fn another_reading_is_a_warning() {
    let warnings = |text: &str| {
        let resolved = resolve_objects(&[entry(text)], &offered());
        resolved.unwrap().warnings
    };
    assert_eq!(
        warnings("crm.names"),
        [
            "crm.names is taken as view crm.names in database app; write database, schema and name to mean \
             another object"
        ]
    );
    assert!(warnings("app.crm.names").is_empty());
    assert!(warnings("public.f").is_empty());
}

#[test]
fn what_is_never_excluded_is_an_error_that_says_what_it_is() {
    for (text, expected) in [
        (
            "users",
            "users: table public.users in database app cannot be excluded",
        ),
        (
            "public.own",
            "public.own: policy own on public.users in database app cannot be excluded",
        ),
        (
            "nmes",
            "no view, function, trigger, index or constraint nmes in the selected databases; the nearest: view \
             crm.names in database app, view public.names in database app, view public.names in database crm",
        ),
    ] {
        let error = resolve_objects(&[entry(text)], &offered()).unwrap_err();
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn an_inherited_object_goes_with_its_parents_and_never_alone() {
    let mut offered = offered();
    let app = offered.get_mut("app").unwrap();
    app[6].is_inherited = true;
    let both = resolve_objects(&[entry("stamp")], &offered).unwrap();
    assert_eq!(both.databases["app"].iter().count(), 1);
    let alone = resolve_objects(&[entry("public.orders.stamp")], &offered).unwrap_err();
    assert!(matches!(alone, Error::InheritedObject { .. }), "{alone}");
    app_of(&mut offered)[0].extension = Some("e".to_owned());
    let member = resolve_objects(&[entry("public.names")], &offered).unwrap_err();
    assert!(
        matches!(member, Error::ObjectOfExtension { .. }),
        "{member}"
    );
}

fn app_of(offered: &mut AllObjects) -> &mut Vec<OfferedObject> {
    offered.get_mut("app").unwrap()
}
