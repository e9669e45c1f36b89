//! `POST` and `GET /api/matches`.

use futures::future::join_all;
use serde_json::json;
use uuid::Uuid;

use crate::town::{Answer, Citizen, Town, refused};

const MATCHES: &str = "/api/matches";

async fn swipe(town: &Town, who: &Citizen, whom: &Citizen, action: &str) -> Answer {
    let body = json!({ "targetUserId": whom.id, "action": action });
    town.post_as(who, MATCHES, body).await
}

#[tokio::test]
async fn a_like_that_is_answered_makes_one_match_with_the_smaller_id_first() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    let (status, first) = swipe(&town, &ann, &bob, "like").await;
    assert_eq!(
        (status, &first["matched"], &first["matchId"]),
        (201, &json!(false), &json!(null))
    );
    let at = town.wait(60);
    let (status, second) = swipe(&town, &bob, &ann, "super_like").await;
    assert_eq!((status, &second["matched"]), (201, &json!(true)));
    let (smaller, larger) = (ann.id.min(bob.id), ann.id.max(bob.id));
    let matches = town
        .rows("select id, user_a_id, user_b_id, created_at at time zone 'UTC' from matches")
        .await;
    let (id, at) = (second["matchId"].as_str().unwrap(), at.format("%Y-%m-%d %H:%M:%S"));
    assert_eq!(matches, [format!("{id}|{smaller}|{larger}|{at}")]);
    let swipes = town
        .rows("select user_id, target_user_id, action from swipes order by created_at")
        .await;
    assert_eq!(
        swipes,
        [
            format!("{}|{}|like", ann.id, bob.id),
            format!("{}|{}|super_like", bob.id, ann.id)
        ]
    );
    for (citizen, other) in [(&ann, &bob), (&bob, &ann)] {
        let (status, body) = town.get_as(citizen, MATCHES).await;
        assert_eq!((status, body["matches"].as_array().unwrap().len()), (200, 1), "{body}");
        assert_eq!(
            (&body["matches"][0]["matchId"], &body["matches"][0]["userId"]),
            (&json!(id), &json!(other.id))
        );
    }
}

#[tokio::test]
async fn who_is_passed_on_matches_nobody_and_a_mind_may_change() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    swipe(&town, &ann, &bob, "like").await;
    assert_eq!(swipe(&town, &bob, &ann, "pass").await.1["matched"], false);
    // Ann's like counts for nothing once she has taken it back, and again when she likes again.
    town.wait(1);
    swipe(&town, &ann, &bob, "pass").await;
    town.wait(1);
    assert_eq!(swipe(&town, &bob, &ann, "like").await.1["matched"], false);
    town.wait(1);
    assert_eq!(swipe(&town, &ann, &bob, "like").await.1["matched"], true);
    assert_eq!((town.count("matches").await, town.count("swipes").await), (1, 5));
}

#[tokio::test]
async fn saying_the_same_again_writes_nothing() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    assert_eq!(swipe(&town, &ann, &bob, "like").await.0, 201);
    let events = town.count("behavior_events").await;
    assert_eq!(swipe(&town, &ann, &bob, "like").await.0, 200);
    let (_, matched) = swipe(&town, &bob, &ann, "like").await;
    let (status, again) = swipe(&town, &bob, &ann, "like").await;
    assert_eq!((status, &again), (200, &matched), "the match is told again");
    assert_eq!((town.count("swipes").await, town.count("matches").await), (2, 1));
    assert_eq!(
        town.count("behavior_events").await,
        events + 2,
        "bob's like, and the match"
    );
}

#[tokio::test]
async fn two_likes_at_the_same_moment_make_one_match_each_time() {
    let town = Town::found().await;
    let ann = town.settle("ann").await;
    let mut others = Vec::new();
    for name in ["b", "c", "d", "e", "f", "g", "h", "i"] {
        others.push(town.settle(name).await);
    }
    let at_once = others.iter().flat_map(|other| {
        // Twice from each side.
        [(&ann, other), (other, &ann), (&ann, other), (other, &ann)]
    });
    let answers = join_all(at_once.map(|(who, whom)| swipe(&town, who, whom, "like"))).await;
    assert!(
        answers.iter().all(|(status, _)| matches!(status, 200 | 201)),
        "{answers:?}"
    );
    let ordered = town
        .rows("select count(*), count(*) filter (where user_a_id < user_b_id) from matches")
        .await;
    assert_eq!(ordered, ["8|8"]);
    assert_eq!(town.count("swipes").await, 16, "one from each side");
    let viewed = town
        .rows("select count(*) from behavior_events where event_name = 'match_action'")
        .await;
    assert_eq!(viewed, ["8"], "whoever was second sees it");
}

#[tokio::test]
async fn there_must_be_somebody_else_to_like_and_a_word_for_it() {
    let town = Town::found().await;
    let (ann, bob) = (town.settle("ann").await, town.settle("bob").await);
    refused(&swipe(&town, &ann, &ann, "like").await, 400, &["somebody else"]);
    refused(
        &swipe(&town, &ann, &bob, "adore").await,
        400,
        &["action", "like, super_like, pass"],
    );
    let nobody = Citizen {
        id: Uuid::new_v4(),
        token: String::new(),
    };
    refused(
        &swipe(&town, &ann, &nobody, "like").await,
        404,
        &["nobody", &nobody.id.to_string()],
    );
    refused(&swipe(&town, &nobody, &bob, "like").await, 401, &["token"]);
    // The placeholder of the specification, sent as it is printed.
    let literal = json!({ "targetUserId": "user2_id", "action": "like" });
    refused(&town.post_as(&ann, MATCHES, literal).await, 400, &["targetUserId"]);
    town.alter("update users set status = 'deleted' where username = 'bob'")
        .await;
    refused(&swipe(&town, &ann, &bob, "like").await, 404, &["nobody"]);
    assert_eq!(town.count("swipes").await, 0);
}
