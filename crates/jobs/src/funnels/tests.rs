use arrow::util::pretty::pretty_format_batches;

use super::*;

const EXAMPLE: &str = include_str!("../../../../data/funnels.example.toml");

#[test]
fn the_example_holds_every_way_of_saying_a_step() {
    let funnels = parse(EXAMPLE).unwrap();
    let [first, second] = funnels.as_slice() else {
        panic!("{funnels:?}")
    };
    assert_eq!(
        (first.name.as_str(), first.window_days, first.entry),
        ("first_like", 7, FunnelEntry::First)
    );
    let kinds = |funnel: &FunnelSpec| -> Vec<Vec<String>> {
        let kinds = funnel
            .steps
            .iter()
            .map(|step| step.kinds.iter().map(ToString::to_string).collect());
        kinds.collect()
    };
    assert_eq!(
        kinds(first),
        [
            vec!["registration"],
            vec!["event:profile_view", "event:search"],
            vec!["like"]
        ]
    );
    assert_eq!(kinds(second), [["event:subscription_view"], ["purchase"]]);
    assert_eq!((second.entry, second.order), (FunnelEntry::Any, FunnelOrder::Ordered));
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = r#"
        window = 3
        [[funnel]]
        name = "onboarding"
        window_days = 0
        [[funnel]]
        name = "Two"
        window_days = 7
        step = [
            { name = "a", event = "x" }, { name = "a", event = "x", fact = "like" }, { name = "b", fact = "dislike" },
            { name = "_", any_of = [] }, { name = "c", any_of = [{ event = "" }] }, { name = "d" }, { event = "x" },
            { name = "e", event = "x", any_of = [{ event = "y" }] }, { name = "f", evnt = "x" },
        ]
        [[funnel]]
        name = "three"
        window_days = 7
        entry = "last"
        [[funnel]]
        name = "four"
        window_days = 7
        step = [{ name = "a", event = "x" }, { name = "b", event = "x" }]
        [[funnel]]
        name = "four"
        window_days = 7
        step = [{ name = "a", event = "x" }, { name = "b", event = "x" }]
    "#;
    let mistakes = parse(text).unwrap_err();
    let expected = [
        "funnel `onboarding`: the name is that of",
        "funnel `onboarding`: window_days is 0; it must be from 1 to 366",
        "funnel `onboarding`: has 0 steps; there must be 2 to 32",
        "funnel `Two`: the name must be of a-z",
        "funnel `Two`, step 2: say one of",
        "funnel `Two`, step 3: unknown variant `dislike`",
        "funnel `Two`, step 4: the name `_` must be of a-z",
        "funnel `Two`, step 4: any_of holds nothing",
        "funnel `Two`, step 5: say one of",
        "funnel `Two`, step 6: say one of",
        "funnel `Two`, step 7: missing field `name`",
        "funnel `Two`, step 8: any_of stands alone",
        "funnel `Two`, step 9: unknown field `evnt`",
        "funnel `Two`: has two steps `a`",
        "funnel `three`: unknown variant `last`",
        "`window` is not known",
        "funnel `four` is declared twice",
    ];
    let shown = mistakes.join("\n");
    assert_eq!(mistakes.len(), expected.len(), "{shown}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{expected}\n{shown}");
    }
    assert!(parse("[[funnel]").unwrap_err()[0].contains("line 1"));
    assert_eq!(parse("").unwrap_err(), ["there is no [[funnel]]"]);
}

#[test]
fn onboarding_is_what_the_definition_says() {
    let rows = FunnelSpec::onboarding(14).step_rows();
    let expected = "\
+------------+-----------------------+--------------------------+
| step_order | funnel_step           | kind                     |
+------------+-----------------------+--------------------------+
| 1          | app_open              | event:app_open           |
| 2          | registration_start    | event:registration_start |
| 3          | registration_complete | registration             |
| 4          | first_session         | session                  |
| 5          | first_match           | match                    |
| 6          | first_message         | message                  |
| 7          | subscription_view     | event:subscription_view  |
| 8          | subscription_purchase | purchase                 |
+------------+-----------------------+--------------------------+";
    assert_eq!(pretty_format_batches(&rows.batches).unwrap().to_string(), expected);
}

#[test]
fn a_funnel_reads_the_facts_of_its_kinds_and_a_strict_one_all() {
    let mut funnel = FunnelSpec::onboarding(14);
    let facts = |funnel: &FunnelSpec| funnel.params().get("facts").cloned();
    let some = "registration session match message purchase";
    assert_eq!(facts(&funnel), Some(Value::Text(some.to_owned())));
    funnel.order = FunnelOrder::Strict;
    let all = "registration session match message like purchase";
    assert_eq!(facts(&funnel), Some(Value::Text(all.to_owned())));
    assert_eq!(
        funnel.params().get("window_seconds"),
        Some(&Value::Integer(14 * 86_400))
    );
}

#[test]
fn people_enter_by_every_kind_of_step_1() {
    let mut funnel = FunnelSpec::onboarding(14);
    let entry_kinds = |funnel: &FunnelSpec| funnel.params().get("entry_kinds").cloned();
    let texts = |kinds: &[&str]| Some(Value::Texts(kinds.iter().map(ToString::to_string).collect()));
    assert_eq!(entry_kinds(&funnel), texts(&["event:app_open"]));
    let registration = funnel.steps[2].kinds[0].clone();
    funnel.steps[0].kinds.push(registration);
    assert_eq!(entry_kinds(&funnel), texts(&["event:app_open", "registration"]));
}

#[test]
fn step_1_is_not_looked_for_where_first_moments_tell_of_it() {
    let mut funnel = FunnelSpec::onboarding(14);
    let followed = |funnel: &FunnelSpec| funnel.params().get("followed_steps").cloned();
    assert_eq!(followed(&funnel), Some(Value::Integer(-2)));
    // What only enters it is not read at all.
    let by_registration = FunnelSpec {
        steps: funnel.steps[2..4].to_vec(),
        ..funnel.clone()
    };
    assert_eq!(
        by_registration.params().get("facts"),
        Some(&Value::Text("session".to_owned()))
    );
    // Whoever enters by it may go on by it.
    let opens = funnel.steps[0].kinds[0].clone();
    funnel.steps[3].kinds.push(opens);
    assert_eq!(followed(&funnel), Some(Value::Integer(-1)));
    funnel.steps[3].kinds.pop();
    funnel.order = FunnelOrder::Strict;
    assert_eq!(followed(&funnel), Some(Value::Integer(-1)));
    funnel.order = FunnelOrder::Ordered;
    funnel.entry = FunnelEntry::Any;
    assert_eq!(followed(&funnel), Some(Value::Integer(-1)));
}
